// What the durable record says of one placement: the path about to be filled, where older content goes, and, of an
// instance that lies in the record itself, when it was received.

export interface Intent {
  readonly path: string;
  readonly supersededPath?: string;
  readonly receivedAt?: string;
}

export function encodeIntent({ path, supersededPath = '', receivedAt = '' }: Intent): string {
  return `${path}\n${supersededPath}\n${receivedAt}`;
}

export function decodeIntent(note: string): Intent {
  const [path = '', supersededPath = '', receivedAt = ''] = note.split('\n');
  return {
    path,
    ...(supersededPath === '' ? {} : { supersededPath }),
    ...(receivedAt === '' ? {} : { receivedAt }),
  };
}

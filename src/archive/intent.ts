// What the durable record says of one placement: the path about to be filled, and where older content goes.

export interface Intent {
  readonly path: string;
  readonly supersededPath: string | undefined;
}

export function encodeIntent(intent: Intent): string {
  return intent.supersededPath === undefined ? intent.path : `${intent.path}\n${intent.supersededPath}`;
}

export function decodeIntent(record: string): Intent {
  const [path = '', supersededPath] = record.split('\n');
  return { path, supersededPath };
}

// What needs a person: a short list that outlives the program, and an event for whoever passes it on (log, app, DSM).

import { EventEmitter } from 'node:events';
import type { Catalog } from '../catalog/catalog.ts';
import type { Notice, NoticeLevel } from '../catalog/upkeep.ts';

interface NoticeEvents {
  /** It is new, or its level has changed. */
  raised: [Notice];
  cleared: [key: string];
}

export interface NewNotice {
  /** What it is about; the app has words for each. */
  readonly code: string;
  readonly level: NoticeLevel;
  readonly params?: Notice['params'];
  /** Tells notices of one code apart. */
  readonly subject?: string;
}

export class Notices extends EventEmitter<NoticeEvents> {
  readonly #catalog: Catalog;
  readonly #now: () => Date;

  constructor(catalog: Catalog, now: () => Date) {
    super();
    this.#catalog = catalog;
    this.#now = now;
  }

  /** The same again only brings its numbers up to date. */
  async raise({ code, level, params = {}, subject }: NewNotice): Promise<void> {
    const notice = { key: keyOf(code, subject), code, level, params, at: this.#now().toISOString() };
    if (await this.#catalog.ask('raise', notice)) this.emit('raised', notice);
  }

  /** It is solved. */
  async clear(code: string, subject?: string): Promise<void> {
    const key = keyOf(code, subject);
    if (await this.#catalog.ask('clear', key)) this.emit('cleared', key);
  }

  /** Open ones, oldest first. */
  list(): Promise<readonly Notice[]> {
    return this.#catalog.ask('notices', undefined);
  }
}

function keyOf(code: string, subject: string | undefined): string {
  return subject === undefined ? code : `${code}:${subject}`;
}

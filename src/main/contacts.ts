// When each peer was last heard of, in either direction, and how that went: kept in memory and, so that a restart does
// not make everybody strangers, in a small file beside the log. Nothing depends on that file.

import { readSettingsFile, writeSettingsFile } from '../config/file.ts';
import type { LastContact } from '../http/api/peers.ts';
import { callsOut } from '../scu/associate.ts';
import { diagnosisCode } from '../scu/diagnosis.ts';
import { messageOf } from '../util/errors.ts';
import type { Log } from '../util/log.ts';

const MAX_PEERS = 500;
const WRITE_AFTER_MS = 60_000;

export class Contacts {
  readonly #file: string;
  readonly #log: Log;
  readonly #contacts: Map<string, LastContact>;
  readonly #onContact: (aeTitle: string) => void;
  #writing: NodeJS.Timeout | undefined;

  private constructor(
    file: string,
    contacts: Map<string, LastContact>,
    log: Log,
    onContact: (aeTitle: string) => void,
  ) {
    this.#file = file;
    this.#contacts = contacts;
    this.#log = log;
    this.#onContact = onContact;
    callsOut.on('call', (call) => {
      const at = new Date().toISOString();
      const { peer } = call;
      if ('association' in call) this.#set(peer.aeTitle, { at, direction: 'out', ok: true });
      else {
        const code = diagnosisCode(call.error);
        this.#set(peer.aeTitle, { at, direction: 'out', ok: false, code, detail: messageOf(call.error) });
      }
    });
  }

  /** A file that cannot be read is no contacts. */
  static async open(file: string, log: Log, onContact: (aeTitle: string) => void): Promise<Contacts> {
    const read = await readSettingsFile(file).catch((error: unknown) => {
      log.warn('the last contacts cannot be read', { error });
      return undefined;
    });
    const entries = typeof read === 'object' && read !== null ? Object.entries(read) : [];
    return new Contacts(file, new Map(entries as [string, LastContact][]), log, onContact);
  }

  called(aeTitle: string): void {
    this.#set(aeTitle, { at: new Date().toISOString(), direction: 'in', ok: true });
  }

  last(aeTitle: string): LastContact | undefined {
    return this.#contacts.get(aeTitle);
  }

  async close(): Promise<void> {
    clearTimeout(this.#writing);
    if (this.#writing !== undefined) await this.#write();
  }

  #set(aeTitle: string, contact: LastContact): void {
    this.#contacts.delete(aeTitle);
    const [oldest] = this.#contacts.keys();
    if (oldest !== undefined && this.#contacts.size >= MAX_PEERS) this.#contacts.delete(oldest);
    this.#contacts.set(aeTitle, contact);
    this.#writing ??= setTimeout(() => void this.#write(), WRITE_AFTER_MS).unref();
    this.#onContact(aeTitle);
  }

  async #write(): Promise<void> {
    this.#writing = undefined;
    await writeSettingsFile(this.#file, Object.fromEntries(this.#contacts)).catch((error: unknown) =>
      this.#log.warn('the last contacts cannot be written', { error }),
    );
  }
}

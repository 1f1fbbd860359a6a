// What is wrong with the configuration or the command line, in one line that names the key.
import { PacsError } from '../util/errors.ts';
import { printable } from '../util/printable.ts';

/** A wrong option or setting. The message is one line: where, which key, what it wants. Exit code 2. */
export class ConfigError extends PacsError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('config-invalid', printable(message), options);
  }
}

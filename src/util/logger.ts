// The log of the program: one readable line per event into rotating files, warnings also to standard error.
import { join } from 'node:path';
import { Writable } from 'node:stream';
import winston from 'winston';
import { codeOf, messageOf } from './errors.ts';
import type { Log, LogLevel } from './log.ts';
import { printable } from './printable.ts';
import { RotatingFile } from './rotating-file.ts';

const MAX_FILE_BYTES = 10 * 1024 * 1024;
export const MAX_LOG_FILES = 10;
export const LOG_FILE_NAME = 'angiovault.log';
const MAX_LINE_CHARACTERS = 4096;

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** What may change while the program runs. */
export interface LogPolicy {
  readonly level: LogLevel;
  /** Fields whose values stay out of the log, such as those that name a patient. */
  readonly hiddenFields: readonly string[];
}

export interface LoggerOptions extends LogPolicy {
  readonly directory: string;
  /** After each line, which may not be on the disk yet. */
  readonly onLine?: () => void;
  /** Default: standard error. */
  readonly stderr?: Writable;
  readonly maxFileBytes?: number;
  readonly maxFiles?: number;
}

export interface Logger {
  readonly log: Log;
  /** From the next line on. */
  configure(policy: LogPolicy): void;
  /** Everything logged so far is written; what comes later goes nowhere. */
  close(): Promise<void>;
}

/** A logger writing to `angiovault.log` in the directory, which is made when the first line comes. */
export function createLogger(options: LoggerOptions): Logger {
  const stderr = options.stderr ?? process.stderr;
  const path = join(options.directory, LOG_FILE_NAME);
  const file = new RotatingFile({
    path,
    maxBytes: options.maxFileBytes ?? MAX_FILE_BYTES,
    maxFiles: options.maxFiles ?? MAX_LOG_FILES,
    onError: (error) => stderr.write(`${printable(`cannot write the log ${path}: ${messageOf(error)}`)}\n`),
  });
  let hidden: ReadonlySet<string>;
  let mostVerbose: number;
  const configure = ({ level, hiddenFields }: LogPolicy) => {
    hidden = new Set(hiddenFields);
    mostVerbose = LEVELS[level];
  };
  configure(options);
  const logger = winston.createLogger({
    // A transport's own level goes before this one, so what is asked for is decided below.
    level: 'debug',
    levels: LEVELS,
    format: winston.format.printf(({ message }) => String(message)),
    transports: [
      new winston.transports.Stream({ stream: linesInto(file), eol: '' }),
      new winston.transports.Stream({ stream: stderr, level: 'warn', eol: '\n' }),
    ],
  });
  const at =
    (level: LogLevel): Log[LogLevel] =>
    (message, fields = {}) => {
      if (!logger.writable || LEVELS[level] > mostVerbose) return;
      logger.log(level, format(level, message, fields, hidden));
      options.onLine?.();
    };
  return {
    log: { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') },
    configure,
    close: async () => {
      logger.end();
      await file.close();
    },
  };
}

function linesInto(file: RotatingFile): Writable {
  return new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => {
      file.write(line);
      done();
    },
  });
}

function format(
  level: LogLevel,
  message: string,
  fields: Readonly<Record<string, unknown>>,
  hidden: ReadonlySet<string>,
): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${hidden.has(key) ? '(hidden)' : word(value)}`);
  const line = printable(`${new Date().toISOString()} ${level.padEnd(5)} ${message}${pairs.join('')}`);
  return line.length > MAX_LINE_CHARACTERS ? `${line.slice(0, MAX_LINE_CHARACTERS)}…` : line;
}

/** A value as one word; in quotes when it could be taken for more than one. */
function word(value: unknown): string {
  if (value instanceof Error) return word([codeOf(value), messageOf(value)].filter(Boolean).join(': '));
  if (typeof value === 'string') return /^[\w.:/@+[\]-]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return String(value);
}

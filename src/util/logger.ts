// The log of the program: one readable line per event into rotating files, warnings also to standard error.
import { join } from 'node:path';
import { Writable } from 'node:stream';
import winston from 'winston';
import { codeOf, messageOf } from './errors.ts';
import type { Log, LogLevel } from './log.ts';
import { printable } from './printable.ts';
import { RotatingFile } from './rotating-file.ts';

const MAX_FILE_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 10;
const MAX_LINE_CHARACTERS = 4096;

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

export interface LoggerOptions {
  readonly directory: string;
  readonly level: LogLevel;
  /** Fields whose values stay out of the log, such as those that name a patient. */
  readonly hiddenFields: readonly string[];
  /** Default: standard error. */
  readonly stderr?: Writable;
  readonly maxFileBytes?: number;
  readonly maxFiles?: number;
}

export interface Logger {
  readonly log: Log;
  /** Everything logged so far is written; what comes later goes nowhere. */
  close(): Promise<void>;
}

/** A logger writing to `angiovault.log` in the directory, which is made when the first line comes. */
export function createLogger(options: LoggerOptions): Logger {
  const stderr = options.stderr ?? process.stderr;
  const path = join(options.directory, 'angiovault.log');
  const file = new RotatingFile({
    path,
    maxBytes: options.maxFileBytes ?? MAX_FILE_BYTES,
    maxFiles: options.maxFiles ?? MAX_FILES,
    onError: (error) => stderr.write(`${printable(`cannot write the log ${path}: ${messageOf(error)}`)}\n`),
  });
  const hidden = new Set(options.hiddenFields);
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
      if (logger.writable && LEVELS[level] <= LEVELS[options.level])
        logger.log(level, format(level, message, fields, hidden));
    };
  return {
    log: { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') },
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

// The end of the log for the app: the newest lines that fit a filter, read backwards from the rotated files.
import { join } from 'node:path';
import { linesBackwards } from '../util/lines-backwards.ts';
import type { LogLevel } from '../util/log.ts';
import { LOG_FILE_NAME, MAX_LOG_FILES } from '../util/logger.ts';

/** A filter that nothing fits ends here instead of reading everything. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

const LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];
const LINE = /^(?<at>\d{4}-\d{2}-\d{2}T[\d:.]+Z) (?<level>error|warn|info|debug) +(?<rest>.*)$/;
const FIELD = / (?<key>\w+)=(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>\S*))$/;

export interface LogLine {
  /** The time, and which of the lines of that time, counted from the newest: lines come in the order of ids. */
  readonly id: string;
  readonly at: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface LogFilter {
  /** This level and what is worse. */
  readonly level?: LogLevel | undefined;
  /** Text that the line holds, in any case. */
  readonly q?: string | undefined;
  /** The id of the last line of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function readLogTail(directory: string, filter: LogFilter): Promise<LogLine[]> {
  const wanted = new Set(LEVELS.slice(0, LEVELS.indexOf(filter.level ?? 'debug') + 1));
  const text = filter.q?.toLowerCase();
  const [beforeAt = '', beforeIndex = '0'] = filter.before?.split('~') ?? [];
  const found: LogLine[] = [];
  let [lastAt, index] = ['', 0];
  for await (const line of linesBackwards(logFiles(directory), MAX_READ_BYTES)) {
    const groups = LINE.exec(line)?.groups;
    if (groups === undefined) continue;
    const { at = '', level = '', rest = '' } = groups;
    index = at === lastAt ? index + 1 : 0;
    lastAt = at;
    if (filter.before !== undefined && (at > beforeAt || (at === beforeAt && index <= Number(beforeIndex))))
      continue;
    if (!wanted.has(level as LogLevel) || (text !== undefined && !line.toLowerCase().includes(text)))
      continue;
    found.push({ id: `${at}~${index}`, at, level: level as LogLevel, ...split(rest) });
    if (found.length === filter.limit) break;
  }
  return found;
}

/** `message key=value key="value with blanks"`, as util/logger.ts writes it. */
function split(rest: string): Pick<LogLine, 'message' | 'fields'> {
  const fields: [string, string][] = [];
  let message = rest;
  for (let match = FIELD.exec(message); match !== null; match = FIELD.exec(message)) {
    const { key = '', quoted, plain = '' } = match.groups ?? {};
    fields.unshift([key, quoted === undefined ? plain : quoted.replaceAll(/\\(["\\])/g, '$1')]);
    message = message.slice(0, match.index);
  }
  return { message, fields: Object.fromEntries(fields) };
}

function logFiles(directory: string): string[] {
  return Array.from({ length: MAX_LOG_FILES }, (_, n) =>
    join(directory, n === 0 ? LOG_FILE_NAME : LOG_FILE_NAME.replace('.log', `.${n}.log`)),
  );
}

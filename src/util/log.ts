// The narrow face of the log: parts of the program take this, main joins it to the rotating files.

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** One line per call; fields are plain values. No patient names unless the configuration asks for them. */
export type Log = Record<LogLevel, (message: string, fields?: Record<string, unknown>) => void>;

/** A log that goes nowhere, for parts that are built without one. */
export const silentLog: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

// The command line: `serve`, `echo`, `send`, `import`, `verify`, `rebuild`, `account`, checked word by word.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { parseCatalogAddress } from '../util/catalog-address.ts';
import { messageOf } from '../util/errors.ts';
import { ConfigError } from './errors.ts';
import { COMMANDS, type Command, helpOf } from './help.ts';
import type { LoadOptions, Overrides } from './load.ts';
import { PEER_WANTS, type PeerAddress, parsePeerAddress } from './peer-address.ts';
import { aeTitle, catalog, listenPort, type Peer, peer, unknownCallers } from './schema.ts';
import { validate } from './validate.ts';

export type CommandLine =
  | { readonly command: 'help'; readonly text: string }
  | { readonly command: 'version' }
  | { readonly command: 'serve' | 'rebuild'; readonly options: LoadOptions }
  | {
      readonly command: 'verify';
      readonly options: LoadOptions;
      readonly selection?: VerifySelection;
    }
  | {
      readonly command: 'import';
      readonly options: LoadOptions;
      readonly paths: readonly string[];
      /** The files come into the archive instead of a copy of them. */
      readonly isMove: boolean;
    }
  | { readonly command: 'account'; readonly options: LoadOptions; readonly user: string }
  | { readonly command: 'echo'; readonly options: LoadOptions; readonly peer: PeerAddress }
  | {
      readonly command: 'send';
      readonly options: LoadOptions;
      readonly peer: PeerAddress;
      readonly paths: readonly string[];
    };

export interface VerifySelection {
  readonly patientId?: string;
  readonly studyUids?: readonly string[];
}

const word = { type: 'string' } as const;
const calling = { config: word, data: word, 'ae-title': word, help: { type: 'boolean' } } as const;
const serving = {
  ...calling,
  'dimse-port': word,
  'http-port': word,
  catalog: word,
  peer: { type: 'string', multiple: true },
  'unknown-callers': word,
} as const;

const CALLING: readonly Command[] = ['echo', 'send', 'account'];

const importing = { ...serving, move: { type: 'boolean' } } as const;
const verifying = { ...serving, patient: word, study: { type: 'string', multiple: true } } as const;

type AllOptions = typeof importing & typeof verifying;
type Values = ReturnType<typeof parseArgs<{ options: AllOptions }>>['values'];

/** What the arguments (without program and script) ask for; relative paths are taken from `cwd`.
 *  Throws ConfigError with one line that names the option and what it wants. */
export function parseCommandLine(argv: readonly string[], cwd: string): CommandLine {
  const [name, ...rest] = argv;
  if (name === '--version') return { command: 'version' };
  if (name === '--help' || name === '-h' || name === 'help')
    return { command: 'help', text: helpOf(undefined) };
  const command = COMMANDS.find((known) => known === name);
  if (command === undefined) {
    const problem = name === undefined ? 'no command given' : `${name}: unknown command`;
    throw new ConfigError(`${problem}; wants one of ${COMMANDS.join(', ')}, or --help`);
  }
  const { values, positionals } = split(command, rest);
  if (values.help === true) return { command: 'help', text: helpOf(command) };
  return build(command, values, positionals, cwd);
}

function optionsOf(command: Command): AllOptions {
  const options = { import: importing, verify: verifying }[command as string] ?? serving;
  // As the type of all of them: what is not there has no value.
  return (CALLING.includes(command) ? calling : options) as AllOptions;
}

function split(command: Command, args: string[]): { values: Values; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({ args, options: optionsOf(command), allowPositionals: true });
    return { values, positionals };
  } catch (error) {
    // The first sentence names the option; what follows advises on argument parsing in general.
    const problem = messageOf(error).split(/\n|\. /)[0] ?? '';
    throw new ConfigError(`${problem.replace(/\.$/, '')}; see ${command} --help`, { cause: error });
  }
}

function build(command: Command, values: Values, positionals: string[], cwd: string): CommandLine {
  const options = loadOptions(values, cwd);
  const paths = (words: string[]) => {
    if (words.length === 0)
      throw new ConfigError(`${command}: wants at least one PATH, a file or a directory`);
    return words.map((path) => resolve(cwd, path));
  };
  const none = (words: string[]) => {
    if (words.length > 0) throw new ConfigError(`${words[0]}: not wanted here; see ${command} --help`);
  };
  const [first = '', ...others] = positionals;
  switch (command) {
    case 'echo':
      none(others);
      return { command, options, peer: peerAddress(first, command) };
    case 'send':
      return { command, options, peer: peerAddress(first, command), paths: paths(others) };
    case 'import':
      return { command, options, paths: paths(positionals), isMove: values.move === true };
    case 'verify':
      none(positionals);
      return { command, options, ...defined({ selection: verifySelection(values) }) };
    case 'account':
      none(others);
      if (first === '') throw new ConfigError('account: wants a USER, the name with which to sign in');
      return { command, options, user: first };
    default:
      none(positionals);
      return { command, options };
  }
}

/** What is to be verified, or everything. */
function verifySelection({ patient, study }: Values): VerifySelection | undefined {
  if (patient === undefined && study === undefined) return undefined;
  return {
    ...(patient === undefined ? {} : { patientId: patient }),
    ...(study === undefined ? {} : { studyUids: study }),
  };
}

function loadOptions(values: Values, cwd: string): LoadOptions {
  for (const [option, value] of Object.entries(values)) {
    if (value === '') throw new ConfigError(`--${option}: wants a value`);
  }
  return {
    dataDirectory: resolve(cwd, values.data ?? 'data'),
    ...defined({ configFile: values.config === undefined ? undefined : resolve(cwd, values.config) }),
    overrides: overrides(values, cwd),
  };
}

function overrides(values: Values, cwd: string): Overrides {
  return {
    peers: peers(values.peer ?? []),
    ...defined({
      aeTitle: checked(aeTitle, values['ae-title'], '--ae-title'),
      dimsePort: checked(listenPort, numeric(values['dimse-port']), '--dimse-port'),
      httpPort: checked(listenPort, numeric(values['http-port']), '--http-port'),
      catalog: fromHere(checked(catalog, values.catalog, '--catalog'), cwd),
      unknownCallers: checked(unknownCallers, values['unknown-callers'], '--unknown-callers'),
    }),
  };
}

function checked<T>(schema: z.ZodType<T>, value: unknown, option: string): T | undefined {
  return value === undefined ? undefined : validate(schema, value, option);
}

/** Digits become a number; anything else goes on as it is, to be refused by name. */
function numeric(value: string | undefined): number | string | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : value;
}

/** A relative catalogue file on the command line is one seen from where the command is typed. */
function fromHere(address: string | undefined, cwd: string): string | undefined {
  if (address === undefined) return undefined;
  const parsed = parseCatalogAddress(address, cwd);
  return parsed?.engine === 'sqlite' ? `sqlite:${parsed.file}` : address;
}

function peers(texts: readonly string[]): Peer[] {
  const list = texts.map((text) => validate(peer, peerAddress(text, '--peer'), '--peer'));
  const twice = list.find(({ aeTitle }, at) => list.findIndex((other) => other.aeTitle === aeTitle) !== at);
  if (twice !== undefined)
    throw new ConfigError(`--peer: wants each AE title once, ${twice.aeTitle} comes twice`);
  return list;
}

function peerAddress(text: string, option: string): PeerAddress {
  const address = parsePeerAddress(text);
  if (address === undefined)
    throw new ConfigError(`${option}: wants ${PEER_WANTS}${text === '' ? '' : `, not ${text}`}`);
  return address;
}

/** Without the keys whose value is undefined. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

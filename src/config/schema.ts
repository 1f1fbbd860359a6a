// Every setting once: what it may be, its default, its words. Validation, the settings form and the
// documentation are all read from here.
import { z } from 'zod';
import { CATALOG_WANTS, parseCatalogAddress } from '../util/catalog-address.ts';
import { isLoopbackAddress } from '../util/loopback.ts';
import { CHARACTER_SETS } from './character-sets.ts';
import { AE_TITLE_WANTS, HOST_WANTS, isAeTitle, isHost } from './peer-address.ts';

/** The form of config.json that this program writes; `migrate.ts` brings older ones here. */
export const CONFIG_VERSION = 1;

/** What a setting says about itself, beside its rule, for the settings form and the documentation. A change
 *  counts from the next start on: nothing is read again while the program runs. */
const words = (title: string, description: string) => ({ title, description, restart: true });

/** The one sentence a wrong value gets. */
const wants = (what: string) => ({ error: `wants ${what}` });

const whole = (from: number, to: number) => {
  const range = wants(`a whole number from ${from} to ${to}`);
  return z.int(range).min(from, range).max(to, range);
};

const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values, wants(`one of ${values.join(', ')}`));

/** A group of settings; a key that is not in it gets the list of those that are. */
const group = <T extends z.ZodRawShape>(shape: T, what = 'a group of settings in braces') =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown setting; wants one of ${Object.keys(shape).join(', ')}`
        : `wants ${what}`,
  });

const text = (what: string, fits: (value: string) => boolean) =>
  z.string(wants(what)).refine(fits, wants(what));

const isLoopback = (host: string) => host === 'localhost' || isLoopbackAddress(host);

export const aeTitle = z
  .string(wants(AE_TITLE_WANTS))
  .refine(isAeTitle, wants(AE_TITLE_WANTS))
  .overwrite((title) => title.trim());
export const listenPort = whole(0, 65535);
export const catalog = text(CATALOG_WANTS, (value) => parseCatalogAddress(value, '/') !== undefined);
export const unknownCallers = oneOf('refuse', 'echo', 'all');
const host = text(HOST_WANTS, isHost);
const bytesOrAuto = wants('a whole number of bytes, or "auto"');
const absoluteOrRelativePath = text('a directory', (value) => value !== '' && !value.includes('\0'));

export const peer = group(
  {
    aeTitle: aeTitle.meta(words('AE title', 'The title under which the peer calls, and is called.')),
    host: host.meta(words('Host', 'Name or IP address of the peer.')),
    port: whole(1, 65535).meta(words('Port', 'The port on which the peer accepts associations.')),
    may: z
      .array(oneOf('store', 'query', 'retrieve'), wants('a list of store, query, retrieve'))
      .default(['store', 'query', 'retrieve'])
      .meta(words('May', 'What the peer may do here. Everybody listed may echo.')),
    characterSet: z
      .array(
        z
          .string()
          .refine((term) => CHARACTER_SETS.has(term), wants('terms of PS3.3 C.12.1.1.2, such as GB18030')),
        wants('a list of terms of PS3.3 C.12.1.1.2, such as ["GB18030"]'),
      )
      .min(1, wants('at least one term of PS3.3 C.12.1.1.2, or the setting left out'))
      .optional()
      .meta(words('Character set', 'For a peer that labels its text wrongly: the set it really uses.')),
  },
  'a peer: {"aeTitle": …, "host": …, "port": …}',
);

export const configSchema = group(
  {
    // migrate.ts has seen to its value.
    version: whole(1, 1000)
      .default(CONFIG_VERSION)
      .meta(words('Version', 'Form of this file; written by the program.')),
    aeTitle: aeTitle
      .default('ANGIOVAULT')
      .meta(words('AE title', 'The title under which other machines call this archive.')),
    dimse: group({
      host: host
        .default('0.0.0.0')
        .meta(
          words(
            'DICOM address',
            'Where to listen: 0.0.0.0 is every IPv4 address, :: every IPv4 and IPv6 one.',
          ),
        ),
      port: listenPort
        .default(11112)
        .meta(words('DICOM port', 'The port that other machines call. 0 takes a free one.')),
      maxAssociations: whole(1, 10000)
        .default(100)
        .meta(words('Associations at most', 'How many associations may be open at the same time.')),
    }).prefault({}),
    http: group({
      // Design: nothing answers off loopback without authentication, and there is none yet.
      host: text('a loopback address, such as 127.0.0.1', isLoopback)
        .default('127.0.0.1')
        .meta(words('HTTP address', 'Where health and metrics answer: loopback only.')),
      port: listenPort
        .default(11180)
        .meta(words('HTTP port', 'The port of health and metrics. 0 takes a free one.')),
    }).prefault({}),
    catalog: catalog
      .default('sqlite:catalog.sqlite')
      .meta(words('Catalogue', 'Where the catalogue is kept. A relative file lies in the data directory.')),
    archive: group({
      directory: absoluteOrRelativePath
        .default('archive')
        .meta(
          words(
            'Archive directory',
            'Where the instances are kept. A relative path lies in the data directory.',
          ),
        ),
      reserveBytes: z
        .union([z.literal('auto'), z.int().min(0, bytesOrAuto)], bytesOrAuto)
        .default('auto')
        .meta(
          words(
            'Space kept free',
            'Below this much free space nothing more is accepted. auto: 5 % of the volume, at most 2 GiB.',
          ),
        ),
    }).prefault({}),
    peers: z
      .array(peer, wants('a list of peers: [{"aeTitle": …, "host": …, "port": …}]'))
      .superRefine((list, context) => {
        const twice = list.findIndex(
          (one, at) => list.findIndex((other) => other.aeTitle === one.aeTitle) < at,
        );
        if (twice === -1) return;
        context.addIssue({
          code: 'custom',
          path: [twice, 'aeTitle'],
          message: 'wants a title that no other peer has',
        });
      })
      .default([])
      .meta(words('Peers', 'The machines this archive works with.')),
    unknownCallers: unknownCallers
      .default('echo')
      .meta(
        words('Unknown callers', 'What a caller that is no peer may do: nothing (refuse), echo, or all.'),
      ),
    log: group({
      level: oneOf('error', 'warn', 'info', 'debug')
        .default('info')
        .meta(words('Log level', 'How much is written: error, warn, info or debug.')),
      patientNames: z
        .boolean(wants('true or false'))
        .default(false)
        .meta(words('Patient names in the log', 'Off unless somebody needs them to find a fault.')),
    }).prefault({}),
  },
  'settings in braces: {"aeTitle": …}',
);

export type Config = z.output<typeof configSchema>;
export type Peer = z.output<typeof peer>;

const RESERVE_SHARE = 0.05;
const RESERVE_MAX_BYTES = 2 * 1024 ** 3;

/** How many bytes stay free on a volume of this size. */
export function reserveBytesOf(setting: Config['archive']['reserveBytes'], volumeBytes: number): number {
  return setting === 'auto' ? Math.min(Math.floor(volumeBytes * RESERVE_SHARE), RESERVE_MAX_BYTES) : setting;
}

/** Log fields that name a patient; hidden unless `log.patientNames` is set. */
export const PATIENT_LOG_FIELDS: readonly string[] = ['patientName', 'patientId', 'patientBirthDate'];

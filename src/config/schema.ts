// Every setting once: what it may be, its default, its words. Validation, the settings form and the
// documentation are all read from here.
import { validate } from 'node-cron';
import { z } from 'zod';
import { CATALOG_WANTS, parseCatalogAddress } from '../util/catalog-address.ts';
import { CHARACTER_SETS } from './character-sets.ts';
import { AE_TITLE_WANTS, HOST_WANTS, isAeTitle, isHost } from './peer-address.ts';

/** The form of config.json that this program writes; `migrate.ts` brings older ones here. */
export const CONFIG_VERSION = 1;

/** How a change made in the app comes into force: at once, by listening anew (nothing in transfer is lost), or with the
 *  next start. */
export type Applies = 'now' | 'listeners' | 'restart';

/** What a setting says about itself, beside its rule, for the settings form and the documentation. */
const words = (title: string, description: string, applies: Applies = 'restart') => ({
  title,
  description,
  applies,
});

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

/** Five fields: minute, hour, day of the month, month, day of the week; no seconds. */
const isSchedule = (value: string) => value.trim().split(/\s+/).length === 5 && validate(value);

export const aeTitle = z
  .string(wants(AE_TITLE_WANTS))
  .refine(isAeTitle, wants(AE_TITLE_WANTS))
  .overwrite((title) => title.trim());
export const listenPort = whole(0, 65535);
export const catalog = text(CATALOG_WANTS, (value) => parseCatalogAddress(value, '/') !== undefined);
export const unknownCallers = oneOf('refuse', 'echo', 'all');
const host = text(HOST_WANTS, isHost);
const bytesOrAuto = wants('a whole number of bytes, or "auto"');
const path = text('a path', (value) => value !== '' && !value.includes('\0'));

export const peer = group(
  {
    aeTitle: aeTitle.meta(words('AE title', 'The title under which the peer calls, and is called.', 'now')),
    host: host.meta(words('Host', 'Name or IP address of the peer.', 'now')),
    port: whole(1, 65535).meta(words('Port', 'The port on which the peer accepts associations.', 'now')),
    may: z
      .array(oneOf('store', 'query', 'retrieve'), wants('a list of store, query, retrieve'))
      .default(['store', 'query', 'retrieve'])
      .meta(words('May', 'What the peer may do here. Everybody listed may echo.', 'now')),
    characterSet: z
      .array(
        z
          .string()
          .refine((term) => CHARACTER_SETS.has(term), wants('terms of PS3.3 C.12.1.1.2, such as GB18030')),
        wants('a list of terms of PS3.3 C.12.1.1.2, such as ["GB18030"]'),
      )
      .min(1, wants('at least one term of PS3.3 C.12.1.1.2, or the setting left out'))
      .optional()
      .meta(
        words('Character set', 'For a peer that labels its text wrongly: the set it really uses.', 'now'),
      ),
    tls: z
      .boolean(wants('true or false'))
      .optional()
      .meta(words('TLS', 'true: the peer is called over a secure connection.', 'now')),
    preset: oneOf('generic', 'siemens', 'philips', 'ge', 'dcmtk', 'orthanc')
      .optional()
      .meta(words('Kind', 'What the peer is, for the hints that the app gives.', 'now')),
    role: oneOf('second-archive')
      .optional()
      .meta(words('Role', 'second-archive: another archive that is to hold everything too.', 'now')),
    note: text('at most 500 characters', (value) => value.length <= 500)
      .optional()
      .meta(words('Note', 'Whatever helps to recognise the peer: its room, who looks after it.', 'now')),
    commitment: group({
      report: oneOf('new-association', 'same-association')
        .default('new-association')
        .meta(
          words(
            'Reports come over',
            'new-association: this archive calls the peer. same-association: the one on which the peer asked, while it is open.',
            'now',
          ),
        ),
      port: whole(1, 65535)
        .optional()
        .meta(words('Port for reports', 'Where the peer takes reports, when that is another port.', 'now')),
      aeTitle: aeTitle
        .optional()
        .meta(
          words('AE title for reports', 'Whom to call with a report, when that is another title.', 'now'),
        ),
    })
      .prefault({})
      .meta(words('Storage commitment', 'How the peer learns that its instances are safe here.', 'now')),
  },
  'a peer: {"aeTitle": …, "host": …, "port": …}',
);

const listOf = (what: string, one: z.ZodType<string>) =>
  z.array(one, wants(`a list of ${what}`)).min(1, wants(`at least one of ${what}, or the setting left out`));

export const forwardingRule = group(
  {
    destination: aeTitle.meta(words('Destination', 'AE title of the peer to which it goes.', 'now')),
    source: listOf('AE titles', aeTitle)
      .optional()
      .meta(words('Sent by', 'Only what came from one of these.', 'now')),
    sopClass: listOf(
      'SOP class UIDs',
      text('a UID', (value) => /^[0-9.]{1,64}$/.test(value)),
    )
      .optional()
      .meta(words('SOP classes', 'Only instances of one of these.', 'now')),
    modality: listOf(
      'modalities',
      text('a modality, such as XA', (value) => /^[A-Z0-9_ ]{1,16}$/.test(value)),
    )
      .optional()
      .meta(words('Modalities', 'Only series of one of these.', 'now')),
    description: text('a pattern of 1 to 64 characters', (value) => value.length >= 1 && value.length <= 64)
      .optional()
      .meta(words('Description', 'Only where study or series description fits, such as *coronary*.', 'now')),
    unit: oneOf('study', 'instance')
      .default('study')
      .meta(
        words(
          'Goes as',
          'instance: each as it comes. study: when nothing more of the study came for a while.',
          'now',
        ),
      ),
    quietSeconds: whole(1, 86_400)
      .default(120)
      .meta(words('Wait', 'How long nothing more of a study has to come, in seconds.', 'now')),
  },
  'a rule: {"destination": …}',
);

export const configSchema = group(
  {
    // migrate.ts has seen to its value.
    version: whole(1, 1000)
      .default(CONFIG_VERSION)
      .meta(words('Version', 'Form of this file; written by the program.')),
    aeTitle: aeTitle
      .default('ANGIOVAULT')
      .meta(words('AE title', 'The title under which other machines call this archive.', 'now')),
    dimse: group({
      host: host
        .default('0.0.0.0')
        .meta(
          words(
            'DICOM address',
            'Where to listen: 0.0.0.0 is every IPv4 address, :: every IPv4 and IPv6 one.',
            'listeners',
          ),
        ),
      port: listenPort
        .default(11112)
        .meta(words('DICOM port', 'The port that other machines call. 0 takes a free one.', 'listeners')),
      maxAssociations: whole(1, 10000)
        .default(100)
        .meta(words('Associations at most', 'How many associations may be open at the same time.', 'now')),
      tls: group({
        port: listenPort
          .default(2762)
          .meta(words('Secure DICOM port', 'The port for DICOM over TLS, beside the plain one.')),
        certificate: path.meta(
          words(
            'Certificate',
            'PEM file with the certificate of this archive, relative to the data directory.',
          ),
        ),
        privateKey: path.meta(words('Private key', 'PEM file with the key that belongs to it.')),
        trusted: path
          .optional()
          .meta(
            words(
              'Trusted certificates',
              'PEM file: only peers with one of these certificates, or signed by them, are spoken to. Without it the connection is encrypted, and nobody has to prove who he is.',
            ),
          ),
      })
        .optional()
        .meta(words('DICOM over TLS', 'Left out: the archive accepts no secure connections.')),
    }).prefault({}),
    http: group({
      host: host
        .default('127.0.0.1')
        .meta(
          words(
            'Address of the app',
            'Where the app and its interface answer. Off loopback nothing answers without the account.',
          ),
        ),
      port: z
        .union([whole(0, 65535), z.literal('off')], wants('a whole number from 0 to 65535, or "off"'))
        .default(11180)
        .meta(
          words(
            'Port of the app',
            'The port of the app and its interface. 0 takes a free one; off: only the socket of the desktop answers.',
          ),
        ),
      names: z
        .array(host, wants('a list of host names'))
        .max(20, wants('at most 20 names'))
        .default([])
        .meta(
          words(
            'Further names',
            'Names besides its own under which browsers find this machine, such as a DNS name.',
          ),
        ),
      socket: path
        .optional()
        .meta(
          words(
            'Socket of the desktop',
            'Unix socket to which the desktop app of a NAS passes its requests.',
          ),
        ),
      relaySecretFile: path
        .default('relay-secret')
        .meta(
          words(
            'Secret of the desktop',
            'File with the secret that comes with such requests; made when it is missing. A relative path lies in the data directory.',
          ),
        ),
    }).prefault({}),
    catalog: catalog
      .default('sqlite:catalog.sqlite')
      .meta(words('Catalogue', 'Where the catalogue is kept. A relative file lies in the data directory.')),
    archive: group({
      directory: path
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
    integrity: group({
      start: text('a time in the form of cron, such as "0 20 * * *"', isSchedule)
        .default('0 20 * * *')
        .meta(words('Check at', 'When reading everything again begins, in the form of cron.')),
      hours: whole(1, 24)
        .default(10)
        .meta(words('Check for hours', 'How long it may take each time; the next time goes on from there.')),
      megabytesPerSecond: whole(1, 10000)
        .default(20)
        .meta(
          words('Check at most', 'How many megabytes a second are read. Nothing is while machines send.'),
        ),
      days: whole(2, 365)
        .default(30)
        .meta(
          words('Check everything within days', 'How often every file is read again; new ones within a day.'),
        ),
    }).prefault({}),
    trash: group({
      days: whole(1, 3650)
        .default(30)
        .meta(words('Keep the trash for days', 'How long what was deleted can be brought back.')),
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
      .meta(words('Peers', 'The machines this archive works with.', 'now')),
    forwarding: z
      .array(forwardingRule, wants('a list of rules: [{"destination": …}]'))
      .default([])
      .meta(words('Forwarding', 'What goes on from here by itself, and where.', 'now')),
    unknownCallers: unknownCallers
      .default('echo')
      .meta(
        words(
          'Unknown callers',
          'What a caller that is no peer may do: nothing (refuse), echo, or all.',
          'now',
        ),
      ),
    log: group({
      level: oneOf('error', 'warn', 'info', 'debug')
        .default('info')
        .meta(words('Log level', 'How much is written: error, warn, info or debug.', 'now')),
      patientNames: z
        .boolean(wants('true or false'))
        .default(false)
        .meta(words('Patient names in the log', 'Off unless somebody needs them to find a fault.', 'now')),
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

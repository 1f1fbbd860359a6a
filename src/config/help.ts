// What --help prints: for somebody who has never seen the program.

export const COMMANDS = ['serve', 'echo', 'send', 'import', 'verify', 'rebuild', 'account'] as const;
export type Command = (typeof COMMANDS)[number];

const GENERAL = `AngioVault keeps DICOM instances byte for byte, finds them, and gives them back.

  serve     run the archive: receive, answer queries, give back
  echo      ask another machine whether it can be reached, and say in plain words what is wrong if not
  send      send files or whole directories to another machine
  import    take files or whole directories into this archive
  verify    read every stored instance again and compare it with its checksum
  rebuild   make the catalogue anew from the stored files alone
  account   set the name and password with which the app is opened from other machines

  --help after a command explains it; --version prints the version.

First steps:
  npm run -s angiovault -- serve
  npm run -s angiovault -- echo ANGIOVAULT@127.0.0.1:11112
`;

const CALLING = `  --ae-title AET        the title under which this archive calls itself (default ANGIOVAULT)
  --data DIR            where everything is kept (default ./data)
  --config FILE         settings, when they are not in config.json of the data directory
`;

const SERVING = `${CALLING}  --dimse-port N        port for DICOM (default 11112; 0 takes a free one)
  --http-port N         port for the app and its interface (default 11180; 0 takes a free one)
  --catalog ADDRESS     sqlite:FILE, or mariadb://user:password@host:port/database[?socketPath=…]
  --peer AET@HOST:PORT  a machine that may store, query and retrieve here, and to which instances may be
                        sent; as often as needed; IPv6 addresses in brackets: WS@[::1]:104
  --unknown-callers X   what everybody else may do: refuse (nothing), echo (default), all

Lasting settings belong into config.json; docs/configuration.md lists them. The command line goes first.
`;

const PEER = `  AET@HOST:PORT         the other machine: its AE title, its name or IP address, its DICOM port,
                        such as WORKSTATION@192.168.1.20:104
`;

const PATHS = `  PATH…                 DICOM files, or directories to be searched through for them
`;

const HELP: Readonly<Record<Command, string>> = {
  serve: `angiovault serve [options]

Runs the archive until it is stopped (Ctrl-C, or SIGTERM). Once everything listens it prints one line:
ready dimse=HOST:PORT http=HOST:PORT

${SERVING}`,
  echo: `angiovault echo AET@HOST:PORT [options]

Asks the other machine whether DICOM works between it and here (C-ECHO).

${PEER}${CALLING}`,
  send: `angiovault send AET@HOST:PORT PATH… [options]

Sends DICOM files to another machine (C-STORE), unchanged. Ctrl-C ends it after the file under way, and
within 10 s.

${PEER}${PATHS}${CALLING}`,
  import: `angiovault import PATH… [options]

Takes DICOM files into this archive without a network, from all folders below, with or without preamble.
What is there already stays as it is. The files stay where they are. Ctrl-C ends it after the files under
way, and within 10 s; begun again, it finds these there already.

${PATHS}  --move                remove each file once it is safe in the archive
${SERVING}`,
  verify: `angiovault verify [options]

Reads every stored instance again and compares it with the checksum taken when it came.
Exit code 1 when anything is missing, altered or unknown.

  --patient ID          only the studies of this patient
  --study UID           only this study; as often as needed
${SERVING}`,
  rebuild: `angiovault rebuild [options]

Makes the catalogue anew from the stored files alone, and says what it did not hold (added), what it holds
and the volume does not (gone), what it had otherwise (changed), and what could not be read. Ended by force
it goes on where it was when it is begun again. Exit code 1 when anything is gone or unreadable.

${SERVING}`,
  account: `angiovault account USER [options]

Sets the name and the password of the administrator, with which the app is opened when http.host is not
127.0.0.1. The password is one line of standard input: typed, unseen, or from a pipe. A daemon that runs
takes it from its next start on; in its app it is changed at once.

${CALLING}`,
};

/** The help of one command, or of the program. */
export function helpOf(command: Command | undefined): string {
  return command === undefined ? GENERAL : HELP[command];
}

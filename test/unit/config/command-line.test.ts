// The command line of every command, and the one line that each mistake gets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseCommandLine } from '../../../src/config/command-line.ts';
import { ConfigError } from '../../../src/config/errors.ts';
import { COMMANDS } from '../../../src/config/help.ts';

const parse = (...argv: string[]) => parseCommandLine(argv, '/here');

describe('serve', () => {
  test('without options everything is left to config.json and the defaults', () => {
    assert.deepEqual(parse('serve'), {
      command: 'serve',
      options: { dataDirectory: '/here/data', overrides: { peers: [] } },
    });
  });

  test('every option of the fixed interface', () => {
    const line = parse(
      'serve',
      ...[
        '--config',
        'c.json',
        '--data',
        '/d',
        '--ae-title',
        'ANGIO',
        '--dimse-port',
        '0',
        '--http-port=8080',
      ],
      ...[
        '--catalog',
        'sqlite:x.db',
        '--peer',
        'WS@h:104',
        '--peer',
        'DSA@[::1]:105',
        '--unknown-callers',
        'all',
      ],
    );
    const may = ['store', 'query', 'retrieve'];
    const commitment = { report: 'new-association' };
    assert.deepEqual(line, {
      command: 'serve',
      options: {
        dataDirectory: '/d',
        configFile: '/here/c.json',
        overrides: {
          peers: [
            { aeTitle: 'WS', host: 'h', port: 104, may, commitment },
            { aeTitle: 'DSA', host: '::1', port: 105, may, commitment },
          ],
          aeTitle: 'ANGIO',
          dimsePort: 0,
          httpPort: 8080,
          catalog: 'sqlite:/here/x.db',
          unknownCallers: 'all',
        },
      },
    });
  });

  test('a MariaDB address is passed on as it stands', () => {
    const line = parse('serve', '--catalog', 'mariadb://u:p@h:3306/db?socketPath=/s');
    assert.ok(line.command === 'serve');
    assert.equal(line.options.overrides.catalog, 'mariadb://u:p@h:3306/db?socketPath=/s');
  });
});

describe('the other commands', () => {
  const peer = { aeTitle: 'WS', host: '10.0.0.2', port: 104 };
  const options = { dataDirectory: '/here/data', overrides: { peers: [] } };

  test('echo names a peer', () => {
    assert.deepEqual(parse('echo', 'WS@10.0.0.2:104'), { command: 'echo', options, peer });
  });
  test('send names a peer and paths, seen from here', () => {
    const paths = ['/here/a.dcm', '/b'];
    assert.deepEqual(parse('send', 'WS@10.0.0.2:104', 'a.dcm', '/b'), {
      command: 'send',
      options,
      peer,
      paths,
    });
  });
  test('import names paths and takes the options of serve', () => {
    const line = parse('import', 'runs', '--data', 'd', '--catalog', 'sqlite:c');
    assert.deepEqual(line, {
      command: 'import',
      options: { dataDirectory: '/here/d', overrides: { peers: [], catalog: 'sqlite:/here/c' } },
      paths: ['/here/runs'],
      isMove: false,
    });
  });
  test('import --move, and what verify is to look at', () => {
    const moved = parse('import', '--move', 'runs');
    assert.ok(moved.command === 'import' && moved.isMove);
    const part = parse('verify', '--patient', 'P1', '--study', '1.2', '--study', '1.3');
    assert.ok(part.command === 'verify');
    assert.deepEqual(part.selection, { patientId: 'P1', studyUids: ['1.2', '1.3'] });
    assert.throws(() => parse('rebuild', '--move'), /--move/);
  });
  test('a path that begins with a dash stands after --', () => {
    const line = parse('import', '--', '-x.dcm');
    assert.ok(line.command === 'import');
    assert.deepEqual(line.paths, ['/here/-x.dcm']);
  });
  for (const command of ['verify', 'rebuild']) {
    test(`${command} takes the options of serve`, () => {
      assert.deepEqual(parse(command, '--data', 'd'), {
        command,
        options: { ...options, dataDirectory: '/here/d' },
      });
    });
  }
});

describe('help', () => {
  for (const argv of [['--help'], ['-h'], ['help']]) {
    test(argv.join(' '), () => {
      const line = parse(...argv);
      assert.ok(line.command === 'help');
      for (const command of COMMANDS) assert.match(line.text, new RegExp(`^  ${command} `, 'm'));
    });
  }
  for (const command of COMMANDS) {
    test(`${command} --help shows the command, its options and fits a terminal`, () => {
      const line = parse(command, '--help');
      assert.ok(line.command === 'help');
      assert.ok(line.text.startsWith(`angiovault ${command}`));
      for (const option of ['--ae-title', '--data', '--config'])
        assert.ok(line.text.includes(option), option);
      for (const row of line.text.split('\n')) assert.ok(row.length <= 110, row);
    });
  }
  test('--version', () => assert.deepEqual(parse('--version'), { command: 'version' }));
});

describe('a mistake gets one line that names it', () => {
  const cases: [string[], RegExp][] = [
    [[], /^no command given; wants one of serve, echo, send, import, verify, rebuild, account, or --help$/],
    [['sevre'], /^sevre: unknown command; wants one of serve/],
    [['constructor'], /^constructor: unknown command/],
    [['serve', '--port', '1'], /^Unknown option '--port'; see serve --help$/],
    [['serve', '-x'], /^Unknown option '-x'; see serve --help$/],
    [['serve', 'extra'], /^extra: not wanted here; see serve --help$/],
    [['serve', '--data'], /^Option '--data <value>' argument missing; see serve --help$/],
    [['serve', '--data', '--peer'], /^Option '--data' argument is ambiguous; see serve --help$/],
    [['serve', '--help=yes'], /^Option '--help' does not take an argument; see serve --help$/],
    [['serve', '--data='], /^--data: wants a value$/],
    [['serve', '--dimse-port', 'http'], /^--dimse-port: wants a whole number from 0 to 65535, not "http"$/],
    [['serve', '--dimse-port', '65536'], /^--dimse-port: wants a whole number from 0 to 65535, not 65536$/],
    [['serve', '--dimse-port', '1e3'], /^--dimse-port: wants a whole number/],
    [['serve', '--http-port', '-1'], /^Option '--http-port' argument is ambiguous/],
    [['serve', '--http-port=-1'], /^--http-port: wants a whole number/],
    [['serve', '--ae-title', 'SEVENTEEN LETTERS'], /^--ae-title: wants an AE title/],
    [['serve', '--catalog', 'file.db'], /^--catalog: wants sqlite:FILE or mariadb:/],
    [['serve', '--peer', 'WS@host'], /^--peer: wants AET@HOST:PORT, .*, not WS@host$/],
    [['serve', '--peer', 'WS@a:1', '--peer', 'WS@b:1'], /^--peer: wants each AE title once, WS comes twice$/],
    [
      ['serve', '--unknown-callers', 'some'],
      /^--unknown-callers: wants one of refuse, echo, all, not "some"$/,
    ],
    [['echo'], /^echo: wants AET@HOST:PORT/],
    [['echo', 'WS'], /^echo: wants AET@HOST:PORT.*, not WS$/],
    [['echo', 'WS@h:1', 'more'], /^more: not wanted here; see echo --help$/],
    [['echo', 'WS@h:1', '--dimse-port', '1'], /^Unknown option '--dimse-port'; see echo --help$/],
    [['send', 'WS@h:1'], /^send: wants at least one PATH/],
    [['import'], /^import: wants at least one PATH/],
    [['verify', 'x'], /^x: not wanted here/],
    [['echo', 'A\nB@h:1\u001b[2J'], /^echo: wants .*, not A\\nB@h:1\\u001b\[2J$/],
  ];
  for (const [argv, expected] of cases) {
    test(JSON.stringify(argv), () => {
      assert.throws(
        () => parse(...argv),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.message, expected);
          assert.doesNotMatch(error.message, /\p{Cc}/u);
          return true;
        },
      );
    });
  }

  test('the password in --catalog is not repeated', () => {
    assert.throws(
      () => parse('serve', '--catalog', 'mariadb://u:secret@h'),
      ({ message }) => !message.includes('secret'),
    );
  });

  test('no words lead to anything but a result or a ConfigError of one line', () => {
    const argument = fc.oneof(
      fc.constantFrom('--peer', '--data', '--help', '--', 'WS@h:1', '--dimse-port'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...COMMANDS), fc.array(argument, { maxLength: 6 }), (command, rest) => {
        try {
          parse(command, ...rest);
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
          assert.doesNotMatch(error.message, /\n/);
        }
      }),
    );
  });
});

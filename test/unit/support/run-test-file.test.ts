// The runner of `make test` comes to an end and says what is wrong, whatever a test file does.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { runTestFile } from '../../support/run-test-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'runner-'));
after(() => rmSync(folder, { recursive: true }));

const HEAD = `import { spawn } from 'node:child_process';
import { describe, test } from 'node:test';
`;

function run(name: string, text: string, deadlineMs?: number) {
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, HEAD + text);
  return runTestFile(file, deadlineMs);
}

describe('a test file in a process of its own', () => {
  test('tests are counted, suites are not', async () => {
    const result = await run('good', "describe('s', () => { test('a', () => {}); test('b', () => {}); });");
    assert.deepEqual(result, { passed: 2, failures: [], output: '' });
  });

  test('a failure names its suite, its test and the error', async () => {
    const { passed, failures } = await run(
      'bad',
      "describe('s', () => { test('a', () => { throw new Error('broken'); }); test('b', () => {}); });",
    );
    assert.equal(passed, 1);
    assert.equal(failures.length, 1);
    assert.match(failures[0] ?? '', /^s › a\nError: broken/);
  });

  for (const [what, text, why] of [
    ['a skipped test', "test('a', { skip: true }, () => {});", /^a\nis skipped/],
    ['a test still to do', "test('a', { todo: true }, () => {});", /^a\nis marked as still to do/],
    ['no test', '', /^holds no test/],
    ['a file that cannot be read as a program', 'const a: = 1;', /ended with exit code 1/],
    [
      'a process that leaves in the middle',
      "test('a', () => { process.exit(7); });",
      /\nended with exit code 7/,
    ],
    [
      'a process that is killed',
      "test('a', () => { process.kill(process.pid, 'SIGKILL'); });",
      /\nended with SIGKILL/,
    ],
    [
      'a process that leaves as if all were well',
      "test('a', () => { process.exit(0); });",
      /^(ended before its tests|holds no test)$/,
    ],
  ] as const) {
    test(`${what} is a failure`, async () => {
      const { passed, failures } = await run(what.replaceAll(' ', '-'), text);
      assert.equal(passed, 0);
      assert.equal(failures.length, 1);
      assert.match(failures[0] ?? '', why);
    });
  }

  test('a test that hangs with a child is killed with it, and both are named', async () => {
    const { failures } = await run(
      'hanging',
      `test('waits', async () => {
        process.on('SIGTERM', () => {});
        spawn('sleep', ['86399'], { stdio: 'inherit' });
        setInterval(() => {}, 1000);
        await new Promise(() => {});
      });`,
      1500,
    );
    assert.equal(failures.length, 1);
    assert.match(failures[0] ?? '', /^after ‘waits’ was started\nis not done after 1.5 s and was killed/);
    assert.match(failures[0] ?? '', /sleep 86399/);
  });

  test('what is left in the folder for temporary files is a failure', async () => {
    const { passed, failures } = await run(
      'littering',
      `import { mkdtempSync } from 'node:fs';
      import { tmpdir } from 'node:os';
      test('a', () => { mkdtempSync(tmpdir() + '/mine-'); });`,
    );
    assert.equal(passed, 1);
    assert.match(failures.join(), /^after the last test\nleft behind in .*: mine-\w+$/);
  });

  test('what a killed file mounted and wrote goes with it', async () => {
    const { output } = await run(
      'mounting',
      `import { execFileSync } from 'node:child_process';
      import { mkdtempSync } from 'node:fs';
      import { tmpdir } from 'node:os';
      test('waits', async () => {
        const path = mkdtempSync(tmpdir() + '/mounted-');
        execFileSync('mount', ['-t', 'tmpfs', 'angiovault-test', path]);
        console.log(path);
        setInterval(() => {}, 1000);
        await new Promise(() => {});
      });`,
      4000,
    );
    const path = output.trim();
    assert.match(path, /\/mounted-/);
    assert.equal(existsSync(path), false);
    assert.ok(!readFileSync('/proc/self/mounts', 'utf8').includes(path));
  });

  test('a file has a network of its own, so that no other one feels what it does to it', async () => {
    const { passed, failures } = await run(
      'networking',
      `import assert from 'node:assert/strict';
      import { createServer } from 'node:net';
      import { networkInterfaces } from 'node:os';
      test('loopback', async () => {
        assert.deepEqual(Object.keys(networkInterfaces()), ['lo']);
        const server = createServer().listen(0, '127.0.0.1');
        await new Promise((resolve) => server.once('listening', resolve));
        server.close();
      });`,
    );
    assert.deepEqual({ passed, failures }, { passed: 1, failures: [] });
  });

  test('a process that does not leave after its last test is ended, and what keeps it is named', async (t) => {
    process.env.ANGIOVAULT_TEST_LEAVING_MS = '500';
    t.after(() => delete process.env.ANGIOVAULT_TEST_LEAVING_MS);
    const { passed, failures, output } = await run(
      'staying',
      `test('fails in the middle', async () => {
        spawn('sleep', ['86399']);
        Promise.reject(new Error('forgotten'));
        await new Promise(() => {});
      });
      test('passes', () => {});`,
    );
    assert.equal(passed, 1);
    assert.match(failures[0] ?? '', /^fails in the middle\nError: forgotten/);
    assert.match(output, /still running .* after the last test, .*ProcessWrap/);
  });

  test('a child that is left behind with the pipes in its hands keeps nobody', async () => {
    const { passed, failures } = await run(
      'left',
      "test('leaves', () => { spawn('sleep', ['5'], { stdio: 'inherit', detached: true }).unref(); });",
      60_000,
    );
    assert.deepEqual({ passed, failures }, { passed: 1, failures: [] });
  });
});

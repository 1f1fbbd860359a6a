// Where the catalogue lives, in the two forms of the command line.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCatalogAddress } from '../../../src/util/catalog-address.ts';

describe('sqlite:FILE', () => {
  test('a relative file is taken from the directory given', () => {
    assert.deepEqual(parseCatalogAddress('sqlite:a/b.sqlite', '/data'), {
      engine: 'sqlite',
      file: '/data/a/b.sqlite',
    });
  });
  test('an absolute file stays', () => {
    assert.deepEqual(parseCatalogAddress('sqlite:/x/c.db', '/data'), { engine: 'sqlite', file: '/x/c.db' });
  });
  test('a catalogue in memory would be lost', () =>
    assert.equal(parseCatalogAddress('sqlite::memory:', '/'), undefined));
  test('no file, no address', () => assert.equal(parseCatalogAddress('sqlite:', '/'), undefined));
  test('a NUL is in no path', () => assert.equal(parseCatalogAddress('sqlite:a\0b', '/'), undefined));
});

describe('mariadb://user:password@host:port/database', () => {
  const parse = (text: string) => parseCatalogAddress(text, '/');
  const whole = {
    engine: 'mariadb',
    host: 'nas',
    port: 3307,
    user: 'angio',
    password: 'p@ss',
    database: 'vault',
  };

  test('all parts, the password with escapes', () => {
    assert.deepEqual(parse('mariadb://angio:p%40ss@nas:3307/vault'), whole);
  });
  test('port 3306 unless it is named', () => {
    assert.deepEqual(parse('mariadb://angio:p%40ss@nas/vault'), { ...whole, port: 3306 });
  });
  test('a socket beside the host', () => {
    const address = parse('mariadb://angio:p%40ss@nas:3307/vault?socketPath=/run/mysqld/mysqld10.sock');
    assert.deepEqual(address, { ...whole, socketPath: '/run/mysqld/mysqld10.sock' });
  });
  test('an IPv6 host loses its brackets', () => {
    assert.deepEqual(parse('mariadb://angio:p%40ss@[::1]:3307/vault'), { ...whole, host: '::1' });
  });
  test('the servers of a cluster', () => {
    const others = [
      { host: 'b', port: 3306 },
      { host: '::1', port: 3308 },
    ];
    assert.deepEqual(parse('mariadb://angio:p%40ss@nas:3307,b,[::1]:3308/vault'), { ...whole, others });
  });
  const wrong = [
    'mariadb://angio:x@nas,/vault',
    'mariadb://angio:x@nas,b:x/vault',
    'mariadb://angio:x@nas,b/vault?socketPath=/run/x',
    'mariadb://nas/vault',
    'mariadb://angio:x@nas',
    'mariadb://angio:x@nas/',
    'mariadb://angio:x@nas/a/b',
    'mariadb://angio:x@nas/a%2Fb',
    'mariadb://angio:x@nas/vault?socketpath=/run/x',
    'mariadb://angio:x@nas/vault?socketPath=run/x',
    'mariadb://angio:x@nas/vault#x',
    'mariadb://angio:%E0%A4@nas/vault',
    'mariadb://angio:x@nas:99999/vault',
    'mysql://angio:x@nas/vault',
    '',
  ];
  for (const text of wrong)
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parse(text), undefined));
});

// What the desktop's CGI makes of a request (RFC 3875), and what it refuses before anybody is asked.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RelayProblem, relayRequest } from '../../../src/dsm/relay/request.ts';

const GET = { REQUEST_METHOD: 'GET' };
const POST = { REQUEST_METHOD: 'POST', HTTP_X_ANGIOVAULT: '1', HTTP_HOST: 'nas:5000' };
const refused = (environment: Record<string, string>) => {
  try {
    relayRequest(environment);
  } catch (error) {
    if (error instanceof RelayProblem) return error.code;
    throw error;
  }
  return undefined;
};

describe('the address', () => {
  test('behind p=, with its own query, beside token and language', () => {
    const request = relayRequest({
      ...GET,
      QUERY_STRING: 'SynoToken=a.B-1&lang=chs&p=/api/studies?name=x%26y&limit=5',
    });
    assert.equal(request.path, '/api/studies?name=x%26y&limit=5');
    assert.equal(request.synoToken, 'a.B-1');
    assert.equal(request.language, 'chs');
  });
  test('behind the name of the script', () => {
    const environment = {
      ...GET,
      REQUEST_URI: '/webman/3rdparty/AngioVault/api.cgi/api/x%20y?a=1&SynoToken=t',
      QUERY_STRING: 'a=1&SynoToken=t',
    };
    assert.equal(relayRequest(environment).path, '/api/x%20y?a=1');
  });
  test('as PATH_INFO alone', () => {
    assert.equal(relayRequest({ ...GET, PATH_INFO: '/api/a b' }).path, '/api/a%20b');
  });
  for (const path of [
    '',
    '/',
    '/x',
    '//api',
    '/apix',
    '/api/../metrics',
    '/api/..',
    '/api/a b',
    '/api/a\r\nX: y',
    '/api/a#b',
    '/api/ü',
  ]) {
    test(`${JSON.stringify(path)} is none`, () =>
      assert.equal(refused({ ...GET, QUERY_STRING: `p=${path}` }), 'path'));
  }
  test('one that is too long', () => {
    assert.equal(refused({ ...GET, QUERY_STRING: `p=/api/${'x'.repeat(20_000)}` }), 'address-too-long');
  });
});

describe('a change', () => {
  const change = { ...POST, QUERY_STRING: 'p=/api/peers' };
  test('of our own page', () => {
    assert.equal(
      refused({ ...change, HTTP_ORIGIN: 'http://nas:5000', HTTP_SEC_FETCH_SITE: 'same-origin' }),
      undefined,
    );
  });
  test('of another page', () => {
    for (const origin of ['http://evil.example', 'http://nas:5001', 'null', 'nas:5000']) {
      assert.equal(refused({ ...change, HTTP_ORIGIN: origin }), 'foreign-origin', origin);
    }
    assert.equal(refused({ ...change, HTTP_SEC_FETCH_SITE: 'same-site' }), 'foreign-origin');
  });
  test('without its header', () => {
    assert.equal(refused({ ...change, HTTP_X_ANGIOVAULT: '' }), 'header-missing');
  });
});

describe('the body', () => {
  const sending = (text: string, encoding = '') =>
    refused({ ...POST, QUERY_STRING: 'p=/api/x', CONTENT_LENGTH: text, HTTP_TRANSFER_ENCODING: encoding });
  test('says its length', () => {
    assert.equal(sending(''), undefined);
    assert.equal(sending('10'), undefined);
    assert.equal(sending('', 'chunked'), 'length');
    for (const text of ['-1', '1e3', '0x10', ' 5']) assert.equal(sending(text), 'length', text);
  });
  test('has an end', () => assert.equal(sending(`${(64 << 20) + 1}`), 'too-large'));
});

test('headers: those that the daemon may want, and none that says who one is', () => {
  const { headers } = relayRequest({
    ...GET,
    QUERY_STRING: 'p=/api/x',
    HTTP_ACCEPT: 'text/event-stream',
    HTTP_RANGE: 'bytes=0-9',
    HTTP_LAST_EVENT_ID: 'a\r\nX-AngioVault-Relay: b',
    HTTP_COOKIE: 'id=secret',
    HTTP_X_ANGIOVAULT_USER: 'admin',
    HTTP_X_ANGIOVAULT_RELAY: 'guess',
    HTTP_CONNECTION: 'upgrade',
  });
  assert.deepEqual(headers, { Accept: 'text/event-stream', Range: 'bytes=0-9' });
});

test('a token or language of another form is none', () => {
  const { synoToken, language } = relayRequest({
    ...GET,
    QUERY_STRING: 'SynoToken=a%0d%0ab&lang=../x&p=/api/x',
  });
  assert.deepEqual([synoToken, language], [undefined, undefined]);
});

// Whether a port that did not answer in DICOM speaks TLS: tried, because what a TLS server does with a plain request
// (an alert, silence, or hanging up) is what other programs do too.
import { connect } from 'node:tls';
import { codeOf } from '../util/errors.ts';

const PROBE_MS = 3000;

/** Nothing is sent but the handshake, and no certificate is judged: the question is only what listens there. */
export function answersTls(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, rejectUnauthorized: false, minVersion: 'TLSv1' });
  const timer = setTimeout(() => resolve(false), PROBE_MS);
  socket
    .once('secureConnect', () => resolve(true))
    // A server that wants our certificate, or another version, has answered in TLS all the same.
    .once('error', (error) => resolve(/_ALERT_|UNSUPPORTED_PROTOCOL/.test(codeOf(error) ?? '')))
    .once('close', () => resolve(false));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

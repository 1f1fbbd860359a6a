// PDUs as bytes, one annotated field per line (PS3.8 §9.3), for decoder and encoder tests.

/** Bytes from hex with comments: everything from `//` to the end of a line is dropped. */
export function bytesOf(annotatedHex: string): Buffer {
  return Buffer.from(annotatedHex.replace(/\/\/.*$/gm, '').replace(/\s+/g, ''), 'hex');
}

/** ASCII as hex, for use inside an annotated fixture. */
export function hexOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}

export const A_ASSOCIATE_RQ = bytesOf(`
  01 00 00000112                       // A-ASSOCIATE-RQ, 274 bytes
  0001 0000                            // protocol version 1, reserved
  ${hexOf('ANGIOVAULT      ')}         // called AE title
  ${hexOf('  AXIOM_1       ')}         // calling AE title
  ${'00'.repeat(32)}                   // reserved
  10 00 0015 ${hexOf('1.2.840.10008.3.1.1.1')}      // application context
  20 00 0030                           // proposed context, 48 bytes
     01 00 00 00                       // identifier 1
     30 00 0011 ${hexOf('1.2.840.10008.1.1')}       // abstract syntax: Verification
     40 00 0013 ${hexOf('1.2.840.10008.1.2.1')}     // transfer syntax: explicit little endian
  20 00 0046                           // proposed context, 70 bytes
     03 00 00 00                       // identifier 3
     30 00 0013 ${hexOf('1.2.840.10008.5.1.1')}     // abstract syntax, 19 bytes
     40 00 0013 ${hexOf('1.2.840.10008.1.2.1')}     // transfer syntax: explicit little endian
     40 00 0010 ${hexOf('1.2.840.10008.1.')}        // transfer syntax, cut short by its writer
  50 00 0033                           // user information, 51 bytes
     51 00 0004 00004000               // maximum length 16384
     52 00 0007 ${hexOf('1.2.3.4')}    // implementation class UID
     53 00 0004 0005 0007              // asynchronous operations window 5/7
     55 00 0006 ${hexOf('TEST_1')}     // implementation version name
     58 00 000a 01 01 0004 ${hexOf('user')} 0000    // user identity: name, response requested
`);

export const A_ASSOCIATE_AC = bytesOf(`
  02 00 0000009e                       // A-ASSOCIATE-AC, 158 bytes
  0001 0000                            // protocol version 1, reserved
  ${hexOf('ANGIOVAULT      ')}         // called AE title, sent back
  ${hexOf('AXIOM_1         ')}         // calling AE title, sent back
  ${'00'.repeat(32)}                   // reserved
  10 00 0015 ${hexOf('1.2.840.10008.3.1.1.1')}      // application context
  21 00 001b                           // context result, 27 bytes
     01 00 00 00                       // identifier 1, acceptance
     40 00 0013 ${hexOf('1.2.840.10008.1.2.1')}     // transfer syntax
  21 00 0008                           // context result, 8 bytes
     03 00 03 00                       // identifier 3, abstract syntax not supported
     40 00 0000                        // transfer syntax, not significant
  50 00 0012                           // user information, 18 bytes
     51 00 0004 00000000               // no maximum length
     59 00 0006 0004 ${hexOf('fine')}  // user identity: server response
`);

export const A_ASSOCIATE_RJ = bytesOf('03 00 00000004 00 01 01 03');
export const A_RELEASE_RQ = bytesOf('05 00 00000004 00000000');
export const A_RELEASE_RP = bytesOf('06 00 00000004 00000000');
export const A_ABORT_USER = bytesOf('07 00 00000004 00 00 00 00');
export const A_ABORT_PROVIDER = bytesOf('07 00 00000004 00 00 02 06');

export const P_DATA_TF = bytesOf(`
  04 00 0000001a                       // P-DATA-TF, 26 bytes
  00000006 01 03 ${hexOf('echo')}      // PDV: 6 bytes, context 1, last fragment of a command
  0000000c 03 00 ${hexOf('0123456789')}        // PDV: 12 bytes, context 3, a fragment of a data set
`);

// What we accept of what a requestor proposes: services by permission, transfer syntaxes so that nothing turns lossy.

import { isStorageSopClass, STORAGE_COMMITMENT_PUSH_MODEL, VERIFICATION } from '../dicom/sop-class.ts';
import {
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  transferSyntax,
} from '../dicom/transfer-syntax.ts';
import type { SupportedContext } from '../dimse/listener.ts';
import type { Permission } from './callers.ts';
import { FIND_MODELS, GET_MODELS, MOVE_MODELS } from './query-models.ts';

/** PS3.4 C.5.1.1 and C.5.2.1: relational queries or retrieval, combined date-time, fuzzy person names. */
const FIND_EXTENSIONS = Buffer.from([1, 1, 1]);
const RETRIEVE_EXTENSIONS = Buffer.from([1]);

/** The contexts supported for one caller, which wants to receive `receivers`; asked per proposed abstract syntax. */
export function supportedContexts(
  receivers: ReadonlySet<string>,
  permissions: ReadonlySet<Permission>,
): (abstractSyntax: string) => SupportedContext | undefined {
  return (abstractSyntax) => {
    if (abstractSyntax === VERIFICATION || isPermittedModel(abstractSyntax, permissions)) {
      return { choose: chooseReadable, scu: false, scp: true };
    }
    if (abstractSyntax === STORAGE_COMMITMENT_PUSH_MODEL) {
      // As SCU we take the reports of a second archive, which calls as SCP.
      return permissions.has('store') ? { choose: chooseReadable, scu: true, scp: true } : undefined;
    }
    if (isQueryRetrieveModel(abstractSyntax)) return undefined;
    const receives = receivers.has(abstractSyntax) && permissions.has('retrieve');
    if (receives || (permissions.has('store') && isStorable(abstractSyntax))) {
      return {
        choose: receives ? chooseForSending : chooseForStorage,
        scu: receives,
        scp: permissions.has('store'),
      };
    }
    return undefined;
  };
}

/** Our answer to a SOP class extended negotiation, or undefined where there is nothing to say. */
export function extendedNegotiation(sopClassUid: string, info: Buffer): Buffer | undefined {
  const ours = FIND_MODELS.has(sopClassUid)
    ? FIND_EXTENSIONS
    : MOVE_MODELS.has(sopClassUid) || GET_MODELS.has(sopClassUid)
      ? RETRIEVE_EXTENSIONS
      : undefined;
  if (ours === undefined) return undefined;
  const answer = Buffer.alloc(Math.min(info.length, 16));
  for (let i = 0; i < answer.length; i += 1) answer[i] = (info[i] ?? 0) & (ours[i] ?? 0);
  return answer;
}

/** Every storage SOP class, and those unknown to us, which may be private or newer than this program: a UID that is
 *  of no service of the standard is taken for one. */
function isStorable(abstractSyntax: string): boolean {
  if (isStorageSopClass(abstractSyntax)) return true;
  const isStandardService = /^1\.2\.840\.10008\.(1|3|5\.1\.1|5\.1\.4\.(3[0-9]|4[1-3]))(\.|$)/.test(
    abstractSyntax,
  );
  return !isStandardService;
}

function isPermittedModel(uid: string, permissions: ReadonlySet<Permission>): boolean {
  if (FIND_MODELS.has(uid)) return permissions.has('query');
  return (MOVE_MODELS.has(uid) || GET_MODELS.has(uid)) && permissions.has('retrieve');
}

function isQueryRetrieveModel(uid: string): boolean {
  return FIND_MODELS.has(uid) || MOVE_MODELS.has(uid) || GET_MODELS.has(uid);
}

/** Commands and Identifiers: the first uncompressed syntax the requestor names. */
function chooseReadable(proposed: readonly string[]): string | undefined {
  return proposed.find(isUncompressed);
}

/** The requestor's order decides, but a lossy syntax is taken only when nothing else is offered: a modality that
 *  may choose must not compress away what subtraction needs. */
function chooseForStorage(proposed: readonly string[]): string | undefined {
  return (
    proposed.find((uid) => transferSyntax(uid).lossy === 'never') ??
    proposed.find((uid) => transferSyntax(uid).lossy === 'maybe') ??
    proposed[0]
  );
}

/** For C-GET: the syntax that carries most of what may be stored. Which instances will be asked for, and how they are
 *  stored, is not known yet; what cannot be sent in the syntax chosen here fails. Little endian carries everything that
 *  was stored lossless, big endian everything that was stored uncompressed, any other only what is stored in it. */
function chooseForSending(proposed: readonly string[]): string | undefined {
  return (
    proposed.find((uid) => uid === EXPLICIT_VR_LITTLE_ENDIAN || uid === IMPLICIT_VR_LITTLE_ENDIAN) ??
    proposed.find((uid) => uid === EXPLICIT_VR_BIG_ENDIAN) ??
    chooseForStorage(proposed)
  );
}

function isUncompressed(uid: string): boolean {
  const { encapsulated, lossy } = transferSyntax(uid);
  return !encapsulated && lossy === 'never';
}

// Decodes the user information item and its sub-items (PS3.8 §9.3.2.3 and Annex D, PS3.7 Annex D.3.3).
import { decodeUid, type FieldReader } from './field-reader.ts';
import {
  type CommonExtendedNegotiation,
  type ExtendedNegotiation,
  type RoleSelection,
  USER_ITEM_TYPE,
  type UserIdentity,
  type UserInformation,
} from './user-information.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Collected extends Mutable<UserInformation> {
  roles: RoleSelection[];
  extendedNegotiation: ExtendedNegotiation[];
  commonExtendedNegotiation: CommonExtendedNegotiation[];
}

/** Unknown sub-items are passed over (PS3.8 §9.3.1). Of repeated single items the last one counts. */
export function decodeUserInformation(reader: FieldReader): UserInformation {
  const collected = emptyUserInformation();
  while (reader.left > 0) {
    const { type, body } = reader.item();
    DECODERS[type]?.(body, collected);
  }
  return collected;
}

/** What a peer that sent no sub-item has told us. */
export function emptyUserInformation(): Collected {
  return {
    maxPduBytes: undefined,
    implementationClassUid: undefined,
    implementationVersionName: undefined,
    asyncWindow: undefined,
    roles: [],
    extendedNegotiation: [],
    commonExtendedNegotiation: [],
    userIdentity: undefined,
    userIdentityResponse: undefined,
  };
}

const DECODERS: Readonly<Record<number, (body: FieldReader, into: Collected) => void>> = {
  [USER_ITEM_TYPE.maximumLength]: (body, into) => {
    into.maxPduBytes = body.uint32('maximum length');
  },
  [USER_ITEM_TYPE.implementationClassUid]: (body, into) => {
    into.implementationClassUid = decodeUid(body.rest());
  },
  [USER_ITEM_TYPE.implementationVersionName]: (body, into) => {
    into.implementationVersionName = body.rest().toString('latin1').trim();
  },
  [USER_ITEM_TYPE.asynchronousOperationsWindow]: (body, into) => {
    into.asyncWindow = { invoked: body.uint16('operations invoked'), performed: body.uint16('performed') };
  },
  [USER_ITEM_TYPE.roleSelection]: (body, into) => {
    const sopClassUid = decodeUid(body.counted('SOP class UID'));
    into.roles.push({
      sopClassUid,
      scu: body.uint8('SCU role') === 1,
      scp: body.uint8('SCP role') === 1,
    });
  },
  [USER_ITEM_TYPE.extendedNegotiation]: (body, into) => {
    const sopClassUid = decodeUid(body.counted('SOP class UID'));
    into.extendedNegotiation.push({ sopClassUid, info: copy(body.rest()) });
  },
  [USER_ITEM_TYPE.commonExtendedNegotiation]: (body, into) => {
    into.commonExtendedNegotiation.push(decodeCommonExtendedNegotiation(body));
  },
  [USER_ITEM_TYPE.userIdentityRq]: (body, into) => {
    into.userIdentity = decodeUserIdentity(body);
  },
  [USER_ITEM_TYPE.userIdentityAc]: (body, into) => {
    into.userIdentityResponse = copy(body.counted('server response'));
  },
};

function decodeCommonExtendedNegotiation(body: FieldReader): CommonExtendedNegotiation {
  const sopClassUid = decodeUid(body.counted('SOP class UID'));
  const serviceClassUid = decodeUid(body.counted('service class UID'));
  const relatedSopClassUids: string[] = [];
  let left = body.uint16('length of related SOP classes');
  if (left > body.left) throw body.invalid(`related SOP classes want ${left} bytes, ${body.left} are left`);
  while (left > 0) {
    const related = body.counted('related SOP class UID');
    left -= 2 + related.length;
    if (left < 0) throw body.invalid('related SOP class UID reaches beyond its list');
    relatedSopClassUids.push(decodeUid(related));
  }
  return { sopClassUid, serviceClassUid, relatedSopClassUids };
}

function decodeUserIdentity(body: FieldReader): UserIdentity {
  return {
    identityType: body.uint8('user identity type'),
    responseRequested: body.uint8('positive response requested') === 1,
    primary: copy(body.counted('primary field')),
    secondary: copy(body.counted('secondary field')),
  };
}

// These outlive the PDU; a slice would keep the transport's whole chunk alive as long as the association.
function copy(slice: Buffer): Buffer {
  return Buffer.from(slice);
}

// Encodes the user information sub-items (PS3.8 Annex D, PS3.7 Annex D.3.3), in ascending item type.
import { counted, encodeItem, encodeTextItem } from './item-encoder.ts';
import { USER_ITEM_TYPE, type UserInformation } from './user-information.ts';

export function encodeUserInformation(info: UserInformation): Buffer[] {
  const items: Buffer[] = [];
  if (info.maxPduBytes !== undefined) {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(info.maxPduBytes, 0);
    items.push(encodeItem(USER_ITEM_TYPE.maximumLength, [value]));
  }
  if (info.implementationClassUid !== undefined) {
    items.push(encodeTextItem(USER_ITEM_TYPE.implementationClassUid, info.implementationClassUid));
  }
  if (info.asyncWindow !== undefined) {
    const value = Buffer.alloc(4);
    value.writeUInt16BE(info.asyncWindow.invoked, 0);
    value.writeUInt16BE(info.asyncWindow.performed, 2);
    items.push(encodeItem(USER_ITEM_TYPE.asynchronousOperationsWindow, [value]));
  }
  for (const role of info.roles) {
    const flags = Buffer.from([role.scu ? 1 : 0, role.scp ? 1 : 0]);
    items.push(encodeItem(USER_ITEM_TYPE.roleSelection, [countedText(role.sopClassUid), flags]));
  }
  if (info.implementationVersionName !== undefined) {
    items.push(encodeTextItem(USER_ITEM_TYPE.implementationVersionName, info.implementationVersionName));
  }
  for (const { sopClassUid, info: value } of info.extendedNegotiation) {
    items.push(encodeItem(USER_ITEM_TYPE.extendedNegotiation, [countedText(sopClassUid), value]));
  }
  for (const common of info.commonExtendedNegotiation) {
    items.push(
      encodeItem(USER_ITEM_TYPE.commonExtendedNegotiation, [
        countedText(common.sopClassUid),
        countedText(common.serviceClassUid),
        counted(Buffer.concat(common.relatedSopClassUids.map(countedText))),
      ]),
    );
  }
  if (info.userIdentity !== undefined) {
    const { identityType, responseRequested, primary, secondary } = info.userIdentity;
    const flags = Buffer.from([identityType, responseRequested ? 1 : 0]);
    items.push(encodeItem(USER_ITEM_TYPE.userIdentityRq, [flags, counted(primary), counted(secondary)]));
  }
  if (info.userIdentityResponse !== undefined) {
    items.push(encodeItem(USER_ITEM_TYPE.userIdentityAc, [counted(info.userIdentityResponse)]));
  }
  return items;
}

function countedText(text: string): Buffer {
  return counted(Buffer.from(text, 'latin1'));
}

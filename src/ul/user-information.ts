// User information items of A-ASSOCIATE (PS3.8 Annex D, PS3.7 Annex D.3.3): values and item types.

/** Sub-item types; the letter H numbers of PS3.7 Tables D.3-1 to D.3-15 and PS3.8 Table D.1-1. */
export const USER_ITEM_TYPE = {
  maximumLength: 0x51,
  implementationClassUid: 0x52,
  asynchronousOperationsWindow: 0x53,
  roleSelection: 0x54,
  implementationVersionName: 0x55,
  extendedNegotiation: 0x56,
  commonExtendedNegotiation: 0x57,
  userIdentityRq: 0x58,
  userIdentityAc: 0x59,
} as const;

/** SCP/SCU role selection (PS3.7 §D.3.3.4): the roles of the requestor, proposed or accepted. */
export interface RoleSelection {
  readonly sopClassUid: string;
  readonly scu: boolean;
  readonly scp: boolean;
}

/** SOP class extended negotiation (PS3.7 §D.3.3.5); the meaning of `info` is the service's. */
export interface ExtendedNegotiation {
  readonly sopClassUid: string;
  readonly info: Buffer;
}

/** SOP class common extended negotiation (PS3.7 §D.3.3.6). */
export interface CommonExtendedNegotiation {
  readonly sopClassUid: string;
  readonly serviceClassUid: string;
  readonly relatedSopClassUids: readonly string[];
}

/** User identity (PS3.7 §D.3.3.7): 1 user name, 2 with passcode, 3 Kerberos, 4 SAML, 5 JSON Web Token. */
export interface UserIdentity {
  readonly identityType: number;
  readonly responseRequested: boolean;
  readonly primary: Buffer;
  readonly secondary: Buffer;
}

/** Asynchronous operations window (PS3.7 §D.3.3.3); 0 is unlimited. */
export interface AsyncWindow {
  readonly invoked: number;
  readonly performed: number;
}

export interface UserInformation {
  /** PS3.8 §D.1.1; 0 is no limit, undefined when the peer left the item out. */
  readonly maxPduBytes: number | undefined;
  readonly implementationClassUid: string | undefined;
  readonly implementationVersionName: string | undefined;
  readonly asyncWindow: AsyncWindow | undefined;
  readonly roles: readonly RoleSelection[];
  readonly extendedNegotiation: readonly ExtendedNegotiation[];
  readonly commonExtendedNegotiation: readonly CommonExtendedNegotiation[];
  /** Of a request. */
  readonly userIdentity: UserIdentity | undefined;
  /** Of an answer: the server response (PS3.7 §D.3.3.7.2). */
  readonly userIdentityResponse: Buffer | undefined;
}

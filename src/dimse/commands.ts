// DIMSE commands: one row per command (PS3.7 §E.1), fields of the command set (PS3.7 Annex E).

export const CommandField = {
  cStoreRq: 0x0001,
  cStoreRsp: 0x8001,
  cGetRq: 0x0010,
  cGetRsp: 0x8010,
  cFindRq: 0x0020,
  cFindRsp: 0x8020,
  cMoveRq: 0x0021,
  cMoveRsp: 0x8021,
  cEchoRq: 0x0030,
  cEchoRsp: 0x8030,
  nEventReportRq: 0x0100,
  nEventReportRsp: 0x8100,
  nGetRq: 0x0110,
  nGetRsp: 0x8110,
  nSetRq: 0x0120,
  nSetRsp: 0x8120,
  nActionRq: 0x0130,
  nActionRsp: 0x8130,
  nCreateRq: 0x0140,
  nCreateRsp: 0x8140,
  nDeleteRq: 0x0150,
  nDeleteRsp: 0x8150,
  cCancelRq: 0x0fff,
} as const;

const NAMES = new Map<number, string>(
  Object.entries(CommandField).map(([key, code]) => [code, printedName(key)]),
);

/** Data Set Type that says "no data set follows" (PS3.7 §E.1). */
export const NO_DATA_SET = 0x0101;
/** What we write when one follows; the standard allows any other value. */
export const DATA_SET_PRESENT = 0x0001;

export const Priority = { medium: 0, high: 1, low: 2 } as const;

/** 'C-STORE-RQ' for 0x0001; the code in hexadecimal when the standard has no such command. */
export function commandName(commandField: number): string {
  return NAMES.get(commandField) ?? `command 0x${commandField.toString(16).padStart(4, '0')}`;
}

export function isResponse(commandField: number): boolean {
  return (commandField & 0x8000) !== 0;
}

/** C-STORE-RQ → C-STORE-RSP; also for commands unknown to us, so that they can be refused by name. */
export function responseTo(commandField: number): number {
  return commandField | 0x8000;
}

/** The command set: only the fields a command uses are present (PS3.7 §9.3, §10.3). */
export interface CommandSet {
  commandField: number;
  commandDataSetType: number;
  messageId?: number;
  messageIdBeingRespondedTo?: number;
  affectedSopClassUid?: string;
  requestedSopClassUid?: string;
  affectedSopInstanceUid?: string;
  requestedSopInstanceUid?: string;
  priority?: number;
  status?: number;
  errorComment?: string;
  errorId?: number;
  offendingElement?: number[];
  attributeIdentifierList?: number[];
  moveDestination?: string;
  moveOriginatorAeTitle?: string;
  moveOriginatorMessageId?: number;
  eventTypeId?: number;
  actionTypeId?: number;
  numberOfRemainingSubOperations?: number;
  numberOfCompletedSubOperations?: number;
  numberOfFailedSubOperations?: number;
  numberOfWarningSubOperations?: number;
}

export type FieldVr = 'UI' | 'US' | 'AE' | 'LO' | 'AT';

/** [element of group 0000, field, VR], in the ascending order in which they are written (PS3.7 §E.1). */
export const COMMAND_FIELDS: readonly (readonly [number, keyof CommandSet, FieldVr])[] = [
  [0x0002, 'affectedSopClassUid', 'UI'],
  [0x0003, 'requestedSopClassUid', 'UI'],
  [0x0100, 'commandField', 'US'],
  [0x0110, 'messageId', 'US'],
  [0x0120, 'messageIdBeingRespondedTo', 'US'],
  [0x0600, 'moveDestination', 'AE'],
  [0x0700, 'priority', 'US'],
  [0x0800, 'commandDataSetType', 'US'],
  [0x0900, 'status', 'US'],
  [0x0901, 'offendingElement', 'AT'],
  [0x0902, 'errorComment', 'LO'],
  [0x0903, 'errorId', 'US'],
  [0x1000, 'affectedSopInstanceUid', 'UI'],
  [0x1001, 'requestedSopInstanceUid', 'UI'],
  [0x1002, 'eventTypeId', 'US'],
  [0x1005, 'attributeIdentifierList', 'AT'],
  [0x1008, 'actionTypeId', 'US'],
  [0x1020, 'numberOfRemainingSubOperations', 'US'],
  [0x1021, 'numberOfCompletedSubOperations', 'US'],
  [0x1022, 'numberOfFailedSubOperations', 'US'],
  [0x1023, 'numberOfWarningSubOperations', 'US'],
  [0x1030, 'moveOriginatorAeTitle', 'AE'],
  [0x1031, 'moveOriginatorMessageId', 'US'],
];

function printedName(key: string): string {
  const [letter, ...words] = key.split(/(?=[A-Z])/);
  const end = words.pop() ?? '';
  return `${letter?.toUpperCase()}-${words.join('-').toUpperCase()}-${end.toUpperCase()}`;
}

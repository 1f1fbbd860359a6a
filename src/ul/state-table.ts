// Upper layer state table (PS3.8 §9.2, Table 9-10), to be read beside the standard line by line.

export type State = `Sta${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13}`;
export type Event =
  `Evt${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17 | 18 | 19}`;
export type Action =
  | `AE-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`
  | `DT-${1 | 2}`
  | `AR-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10}`
  | `AA-${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`;

// Evt1  A-ASSOCIATE request      Evt8  A-ASSOCIATE response (reject)   Evt15 A-ABORT request
// Evt2  transport confirmation   Evt9  P-DATA request                  Evt16 A-ABORT PDU
// Evt3  A-ASSOCIATE-AC           Evt10 P-DATA-TF                       Evt17 transport closed
// Evt4  A-ASSOCIATE-RJ           Evt11 A-RELEASE request               Evt18 ARTIM timer expired
// Evt5  transport indication     Evt12 A-RELEASE-RQ                    Evt19 unrecognised or invalid PDU
// Evt6  A-ASSOCIATE-RQ           Evt13 A-RELEASE-RP
// Evt7  A-ASSOCIATE response     Evt14 A-RELEASE response
const TABLE_9_10 = `
      Sta1 Sta2 Sta3 Sta4 Sta5 Sta6 Sta7 Sta8 Sta9 Sta10 Sta11 Sta12 Sta13
Evt1  AE-1 -    -    -    -    -    -    -    -    -     -     -     -
Evt2  -    -    -    AE-2 -    -    -    -    -    -     -     -     -
Evt3  -    AA-1 AA-8 -    AE-3 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8  AA-8  AA-6
Evt4  -    AA-1 AA-8 -    AE-4 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8  AA-8  AA-6
Evt5  AE-5 -    -    -    -    -    -    -    -    -     -     -     -
Evt6  -    AE-6 AA-8 -    AA-8 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8  AA-8  AA-7
Evt7  -    -    AE-7 -    -    -    -    -    -    -     -     -     -
Evt8  -    -    AE-8 -    -    -    -    -    -    -     -     -     -
Evt9  -    -    -    -    -    DT-1 -    AR-7 -    -     -     -     -
Evt10 -    AA-1 AA-8 -    AA-8 DT-2 AR-6 AA-8 AA-8 AA-8  AA-8  AA-8  AA-6
Evt11 -    -    -    -    -    AR-1 -    -    -    -     -     -     -
Evt12 -    AA-1 AA-8 -    AA-8 AR-2 AR-8 AA-8 AA-8 AA-8  AA-8  AA-8  AA-6
Evt13 -    AA-1 AA-8 -    AA-8 AA-8 AR-3 AA-8 AA-8 AR-10 AR-3  AA-8  AA-6
Evt14 -    -    -    -    -    -    -    AR-4 AR-9 -     -     AR-4  -
Evt15 -    -    AA-1 AA-2 AA-1 AA-1 AA-1 AA-1 AA-1 AA-1  AA-1  AA-1  -
Evt16 -    AA-2 AA-3 -    AA-3 AA-3 AA-3 AA-3 AA-3 AA-3  AA-3  AA-3  AA-2
Evt17 -    AA-5 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4  AA-4  AA-4  AR-5
Evt18 -    AA-2 -    -    -    -    -    -    -    -     -     -     AA-2
Evt19 -    AA-1 AA-8 -    AA-8 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8  AA-8  AA-7
`;

/** The state after each action (PS3.8 Tables 9-6 to 9-9). AE-6 and AR-8 have a second one, chosen in the action. */
export const NEXT_STATE: Readonly<Record<Action, State>> = {
  'AE-1': 'Sta4',
  'AE-2': 'Sta5',
  'AE-3': 'Sta6',
  'AE-4': 'Sta1',
  'AE-5': 'Sta2',
  'AE-6': 'Sta3',
  'AE-7': 'Sta6',
  'AE-8': 'Sta13',
  'DT-1': 'Sta6',
  'DT-2': 'Sta6',
  'AR-1': 'Sta7',
  'AR-2': 'Sta8',
  'AR-3': 'Sta1',
  'AR-4': 'Sta13',
  'AR-5': 'Sta1',
  'AR-6': 'Sta7',
  'AR-7': 'Sta8',
  'AR-8': 'Sta9',
  'AR-9': 'Sta11',
  'AR-10': 'Sta12',
  'AA-1': 'Sta13',
  'AA-2': 'Sta1',
  'AA-3': 'Sta1',
  'AA-4': 'Sta1',
  'AA-5': 'Sta1',
  'AA-6': 'Sta13',
  'AA-7': 'Sta13',
  'AA-8': 'Sta13',
};

/** Table 9-10 by state, then event. An empty cell: that event cannot happen in that state. */
export const STATE_TABLE: Readonly<Record<State, Readonly<Partial<Record<Event, Action>>>>> =
  parse(TABLE_9_10);

function parse(text: string): Record<State, Partial<Record<Event, Action>>> {
  const [heads = [], ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/ +/));
  const columns = heads.map((state, index) => [
    state,
    Object.fromEntries(rows.map((row) => [row[0], row[index + 1]]).filter(([, cell]) => cell !== '-')),
  ]);
  return Object.fromEntries(columns);
}

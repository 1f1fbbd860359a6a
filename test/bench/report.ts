// The result as a table for the terminal and as docs/benchmark.md.
import { CONTESTANTS, type ContestantName } from './contestants.ts';
import type { Machine } from './machine.ts';
import { isMet, type Measure, ratioTo } from './measures.ts';

export interface BenchResult {
  readonly date: string;
  readonly machine: Machine;
  readonly measures: readonly Measure[];
}

const HEADINGS = ['measure', 'unit', 'ours', 'Orthanc', '×', 'storescp', '×', 'floor', '×', 'required', ''];
const NOTES = '\n## Notes\n';
const PEERS: readonly ContestantName[] = CONTESTANTS.filter((name) => name !== 'ours');

/** A table in Markdown whose columns also line up in a terminal. */
export function renderTable(measures: readonly Measure[]): string {
  const rows = [HEADINGS, ...measures.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => aligned(cell, widths[column]!, column)).join(' | ')} |`,
  );
  const rule = `|${widths.map((width, column) => (isText(column) ? ` ${'-'.repeat(width)} ` : ` ${'-'.repeat(width)}:`)).join('|')}|`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

/** `before` is the page as it was: its notes stay. */
export function renderDocument(result: BenchResult, before: string): string {
  const { machine } = result;
  const notesAt = before.indexOf(NOTES);
  return `# Benchmark

Measured with \`make bench\` on ${result.date.slice(0, 10)}; this page is written from its result by
\`node test/bench/main.ts --doc\`, but for the notes at its end. To measure one thing: \`make bench PART=ingest-ct\` (the first column of the
log names the parts; a prefix such as \`ingest\` takes several).

${renderTable(result.measures)}

× says how many times better AngioVault is than that program. Throughput is the median of the rounds, MB is
10⁶ bytes.

## The machine

| | |
| --- | --- |
| processor | ${machine.processor}, ${machine.cores} cores, shared by everything that takes part |
| memory | ${machine.memoryGb} GB |
| disk | ${machine.diskMbPerSecond} MB/s written and flushed; ${machine.diskFlushesPerSecond} flushed writes of 4 KB a second |
| Linux | ${machine.kernel} |
| Node.js | ${machine.node} |
| Orthanc | ${machine.orthanc}, its default configuration |
| DCMTK | ${machine.dcmtk} |

## How it is measured

- One run, one disk, one machine; the programs take turns round after round, and before each turn the kernel
  writes out what the one before left behind. Nagle's algorithm is off everywhere (\`TCP_NODELAY=1\` for
  DCMTK and Orthanc).
- **Ingest.** One sender for all, a process of its own: PDUs laid out before the clock starts, one write for
  each message, the next message after the answer, PDUs as long as the acceptor allows (at most 256 KiB).
  DCMTK's own senders would share the two cores with what they measure. The clock runs from the first
  C-STORE-RQ to the last C-STORE-RSP. AngioVault answers after the instance is on the disk and certain to be
  found; Orthanc flushes the file, not its folder; \`storescp\` flushes nothing and has no index, and runs
  with \`--fork\` for four associations. The floor is a receiver on Node.js that keeps its word and does nothing
  else: it writes small data sets to the disk, flushed, together with what other associations have waiting, a large one
  piece by piece while the rest arrives, and flushes that, and answers. No file of its own, no check, no hash, no index.
- **Query.** 50,000 studies of one instance, sent to both. One association stays open; the clock runs from
  the C-FIND-RQ to the final C-FIND-RSP, at STUDY level with nine return keys. Both must find the same number.
- **Retrieve.** C-MOVE of one study to a destination that reads the PDU headers, drops the pixels, answers
  Success, and announces PDUs of 128 KiB. One round before the first makes the files warm.
- **Memory.** Peak of the daemon's resident memory (VmHWM) and the longest pause of its event loop
  (\`nodejs_eventloop_lag_max_seconds\`) while it receives.
${notesAt < 0 ? '' : before.slice(notesAt)}`;
}

function cellsOf(measure: Measure): string[] {
  const value = (name: ContestantName): string => number(measure.values[name]);
  const peers = PEERS.flatMap((peer) => [value(peer), number(ratioTo(measure, peer))]);
  return [measure.name, measure.unit, value('ours'), ...peers, requirementOf(measure), verdictOf(measure)];
}

function requirementOf(measure: Measure): string {
  const ratios = Object.entries(measure.required ?? {}).map(([peer, least]) => `${least}× ${peer}`);
  if (measure.limit !== undefined) ratios.push(`≤ ${measure.limit}`);
  return ratios.join(', ');
}

function verdictOf(measure: Measure): string {
  const met = isMet(measure);
  return met === undefined ? '' : met ? 'ok' : 'NOT MET';
}

function number(value: number | undefined): string {
  if (value === undefined) return '';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(value >= 1 ? 3 : 2);
}

function isText(column: number): boolean {
  return column < 2 || column > HEADINGS.length - 3;
}

function aligned(cell: string, width: number, column: number): string {
  return isText(column) ? cell.padEnd(width) : cell.padStart(width);
}

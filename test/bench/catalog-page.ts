// Writes what `PART=catalog PAGE=1` found into docs/catalogue.md, between marks that name engine and kind.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Plan } from '../support/recorded-engine.ts';
import type { FilledCatalog } from './filled-catalog.ts';
import { isMet, type Measure } from './measures.ts';

const PAGE = fileURLToPath(new URL('../../docs/catalogue.md', import.meta.url));

export async function writeFigures(
  { engine, shape }: FilledCatalog,
  measures: readonly Measure[],
): Promise<void> {
  const rows = measures.map((measure) => {
    const { name, unit, values, limit } = measure;
    const verdict = isMet(measure);
    const words = verdict === undefined ? '' : verdict ? 'ok' : 'NOT MET';
    const bound = limit === undefined ? '' : `≤ ${Number(limit.toPrecision(3))}`;
    return `| ${name.slice(engine.length + 2)} | ${values.ours?.toPrecision(3)} ${unit} | ${bound} | ${words} |`;
  });
  const size = `${shape.studies.toLocaleString('en')} studies, ${(10 * shape.studies).toLocaleString('en')} instances`;
  await writeSection(`figures ${engine}`, [
    `Measured ${new Date().toISOString().slice(0, 10)} with ${size}.`,
    '',
    '| measure | | must be | |',
    '|---|---|---|---|',
    ...rows,
  ]);
}

export async function writePlans({ engine, shape }: FilledCatalog, plans: readonly Plan[]): Promise<void> {
  // Lists are prepared in several lengths: the longest stands for all.
  const byWords = new Map<string, Plan>();
  for (const plan of [...plans].sort((a, b) => a.statement.length - b.statement.length))
    byWords.set(shortened(plan.statement), plan);
  const scans = plans.filter((plan) => plan.scans.length > 0);
  const lines = [...byWords]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([words, { steps }]) => ['```', words, ...steps.map((step) => `    ${step}`), '```']);
  await writeSection(`plans ${engine}`, [
    `${byWords.size} statements, explained with ${shape.studies.toLocaleString('en')} studies in the catalogue; ` +
      `${scans.length === 0 ? 'none scans' : `${scans.length} scan`} a table that grows.`,
    '',
    ...lines,
  ]);
}

/** Lists and rows of any length read the same. */
function shortened(statement: string): string {
  return statement.replace(/\(\?(?:, \?)+\)(?:, \((?:\?(?:, )?)+\))*/g, '(?, …)').replace(/[`"]/g, '');
}

async function writeSection(name: string, lines: readonly string[]): Promise<void> {
  const page = await readFile(PAGE, 'utf8');
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const [start, stop] = [page.indexOf(begin), page.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`docs/catalogue.md has no section '${name}'`);
  const text = `${begin}\n${lines.join('\n')}\n`;
  await writeFile(PAGE, page.slice(0, start) + text + page.slice(stop));
}

// What the life cycle scripts of the Synology package ask, one step a run. An entry point of its own, so that a step
// does not load the archive. Standard output is what Package Center's dialog shows; the exit code is the script's.

import { tryLogin } from '../catalog/mariadb/login.ts';
import { bringForward } from '../catalog/open-engine.ts';
import { Refusal } from '../dsm/checks.ts';
import { packageContext } from '../dsm/context.ts';
import { runStep, STEPS } from '../dsm/steps.ts';
import { messageOf } from '../util/errors.ts';
import { complain, EXIT } from './program.ts';

async function run([name]: readonly string[]): Promise<number> {
  const step = STEPS.find((known) => known === name);
  if (step === undefined) {
    complain(`${name ?? 'no step'}: wants one of ${STEPS.join(', ')}`);
    return EXIT.wrongOption;
  }
  try {
    const words = await runStep(step, packageContext(process.env), { tryLogin, bringForward });
    process.stdout.write(words);
    return EXIT.done;
  } catch (error) {
    process.stdout.write(
      error instanceof Refusal ? error.message : `AngioVault: ${step}: ${messageOf(error)}`,
    );
    return EXIT.failed;
  }
}

process.umask(0o027);
process.exitCode = await run(process.argv.slice(2));

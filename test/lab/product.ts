import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Copies what a caller gets of this repository into `folder`, with its workflows in the words that act knows: `$/` and
 * `queue` are younger than act, and here one runner works for one caller anyway; and it knows no environments.
 */
export async function copyProduct(root: string, folder: string): Promise<void> {
  for (const part of ['actions', 'dist']) await cp(join(root, part), join(folder, part), { recursive: true });
  const workflows = join('.github', 'workflows');
  await mkdir(join(folder, workflows), { recursive: true });
  for (const name of await readdir(join(root, workflows))) {
    const text = await readFile(join(root, workflows, name), 'utf8');
    await writeFile(join(folder, workflows, name), forAct(text));
  }
}

/**
 * Variables of one environment, as the platform team sets them on GitHub. act knows only variables of the whole
 * repository: these are named after their environment, and the product's copy looks for them first.
 */
export function environmentVariables(
  environment: string,
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [`${environment}__${name}`, value]));
}

function forAct(workflow: string): string {
  const known = workflow
    .replaceAll(/\$\/(\S+)/g, 'logicore/delivery-actions/$1@v1')
    .replaceAll(/^ +queue: max\n/gm, '');
  if (!/^    environment:/m.test(known)) return known;
  return known.replaceAll(/\bvars\.([A-Z_]+)/g, "(vars[format('{0}__$1', inputs.environment)] || vars.$1)");
}

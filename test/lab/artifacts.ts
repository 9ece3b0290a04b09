import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Hands a folder on between jobs of one run: the part of GitHub's artifacts that a delivery needs. */
const script = (kept: string, uploads: boolean): string => `import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
const { INPUT_NAME: name, INPUT_PATH: path, GITHUB_WORKSPACE: workspace } = process.env;
const [kept, own] = [join(${JSON.stringify(kept)}, name), join(workspace, path)];
const [from, to] = ${uploads} ? [own, kept] : [kept, own];
if (!existsSync(from)) {
  console.log(\`::error::there is no \${from}\`);
  process.exit(1);
}
rmSync(to, { recursive: true, force: true });
cpSync(from, to, { recursive: true });
`;

/**
 * Stands in for actions/upload-artifact and actions/download-artifact, whose server is GitHub's: writes both into
 * `folder`, under the very commits that the product's workflows name.
 * @returns what act takes for them, such as `actions/upload-artifact@<commit>=<folder>`
 */
export async function artifactActions(product: string, folder: string): Promise<readonly string[]> {
  const workflows = join(product, '.github', 'workflows');
  const names = await readdir(workflows).catch(() => []);
  const texts = await Promise.all(names.map(async (name) => readFile(join(workflows, name), 'utf8')));
  const used = new Set(texts.join('\n').match(/actions\/(?:up|down)load-artifact@[0-9a-f]{40}/g) ?? []);
  const places: string[] = [];
  for (const action of used) {
    const [name = ''] = action.slice('actions/'.length).split('@');
    const own = join(folder, name);
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'action.yml'), `name: ${name}\nruns: { using: node24, main: ${name}.mjs }\n`);
    await writeFile(join(own, `${name}.mjs`), script(join(folder, 'kept'), name.startsWith('upload')));
    places.push(`${action}=${own}`);
  }
  return places;
}

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import {
  type Manifest,
  between,
  fill,
  indexTable,
  inputTable,
  outputTable,
  readAction,
  readWorkflow,
} from './tables.ts';

/** A README as it stands and as it should stand. */
export interface Readme {
  /** Path inside the repository. */
  readonly file: string;
  readonly now: string;
  readonly wanted: string;
}

/** The action whose README says what the role that pushes images needs, and those that have it say the same. */
const ROLE_OF = 'build-node';
const SAME_ROLE: ReadonlySet<string> = new Set(['build-python']);

/** Every README with generated tables. @throws Error when one lacks its marks, naming the file */
export function readmes(root: string): readonly Readme[] {
  const actions = actionNames(root);
  const role = between(readFileSync(path.join(root, `actions/${ROLE_OF}/README.md`), 'utf8'), 'role');
  return [
    ...actions.map((name) => {
      const manifest = actionManifest(root, name);
      return readme(root, `actions/${name}/README.md`, [
        ['inputs', inputTable(manifest.inputs)],
        ['outputs', outputTable(manifest.outputs)],
        ...(SAME_ROLE.has(name) ? ([['role', role]] as const) : []),
      ]);
    }),
    readme(root, 'README.md', [
      [
        'actions',
        indexTable(
          'action',
          actions.map((name) => row(`actions/${name}`, actionManifest(root, name))),
        ),
      ],
      ['workflows', workflowSection(workflows(root))],
      ['template', `\n\`\`\`yaml\n${readFileSync(path.join(root, 'workflows/node-service.yml'), 'utf8')}\`\`\`\n`],
    ]),
  ];
}

/** Names of the actions: folders of actions/ with an action.yml, in order. */
export function actionNames(root: string): readonly string[] {
  const names = readdirSync(path.join(root, 'actions'));
  return names.filter((name) => existsSync(path.join(root, 'actions', name, 'action.yml'))).toSorted();
}

/** What an action's action.yml says. */
export function actionManifest(root: string, name: string): Manifest {
  return readAction(readFileSync(path.join(root, 'actions', name, 'action.yml'), 'utf8'));
}

/** The reusable workflows by file name, in order. */
export function workflows(root: string): ReadonlyMap<string, Manifest> {
  const folder = path.join(root, '.github', 'workflows');
  const names = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  return new Map(
    names.flatMap((name) => {
      const manifest = readWorkflow(readFileSync(path.join(folder, name), 'utf8'));
      return manifest ? [[name, manifest] as const] : [];
    }),
  );
}

function workflowSection(all: ReadonlyMap<string, Manifest>): string {
  const rows = [...all].map(([file, manifest]) => row(`.github/workflows/${file}`, manifest));
  const tables = [...all].map(
    ([file, { inputs, outputs }]) =>
      `<details><summary>Inputs and outputs of ${file}</summary>\n\n${inputTable(inputs)}\n\n${outputTable(outputs)}\n\n</details>`,
  );
  return [indexTable('workflow', rows), ...tables].join('\n\n');
}

function row(href: string, { description }: Manifest): { name: string; href: string; description: string } {
  return { name: path.basename(href), href, description };
}

function readme(root: string, file: string, parts: readonly (readonly [string, string])[]): Readme {
  const now = readFileSync(path.join(root, file), 'utf8');
  try {
    return { file, now, wanted: parts.reduce((text, [mark, content]) => fill(text, mark, content), now) };
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

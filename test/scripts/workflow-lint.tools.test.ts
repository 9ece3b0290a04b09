import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { workflowLinters } from '../../scripts/workflow-lint.ts';
import { cache } from '../lab/cache.ts';
import { findPythonProgram } from '../lab/python.ts';

const root = path.resolve(import.meta.dirname, '../..');
let copy = '';
beforeEach(() => {
  copy = mkdtempSync(path.join(tmpdir(), 'workflow-lint-'));
  for (const part of ['.github', 'actions', 'dist', 'workflows', 'action.yml']) {
    cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  }
  // How actionlint finds the root that `$/` stands for.
  mkdirSync(path.join(copy, '.git'));
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

test.each([
  [
    'an input that the called workflow lacks',
    '.github/workflows/deliver-node.yml',
    /^( +)image: .*inputs.image \}\}$/m,
    '$1imge: x\n$&',
    ['actionlint'],
    /input "imge" is not defined/,
  ],
  [
    'an input that the action lacks',
    '.github/workflows/build-node.yml',
    /^( +)push: \$.*$/m,
    '$1pull: x\n$&',
    ['actionlint'],
    /input "pull" is not defined/,
  ],
  [
    'an action that is not pinned',
    '.github/workflows/ci.yml',
    /@[0-9a-f]{40} # v.*/,
    '@v5',
    ['zizmor'],
    /unpinned-uses/,
  ],
  [
    'a permission without its reason',
    '.github/workflows/deploy-eks.yml',
    /deployments: write #.*/,
    'deployments: write',
    ['zizmor'],
    /undocumented-permissions/,
  ],
  [
    'an input in a script of a template',
    'workflows/deploy-service.yml',
    /^ {4}uses: [^]*/m,
    '    runs-on: ubuntu-24.04\n    steps: [{ run: "echo ${{ inputs.image }}" }]\n',
    ['zizmor'],
    /template-injection/,
  ],
  [
    'an input in the script of the root action',
    'action.yml',
    /run: \|/,
    'run: |\n        echo ${{ github.event.issue.title }}',
    ['zizmor'],
    /template-injection/,
  ],
])(
  '%s is found',
  async (_, file, from, to, by, finding) => {
    const text = readFileSync(path.join(copy, file), 'utf8');
    writeFileSync(path.join(copy, file), text.replace(from, to));
    const failed: string[] = [];
    let said = '';
    for (const { program, args } of workflowLinters(copy)) {
      const { status, stdout, stderr } = spawnSync(await findPythonProgram(program, cache), args, {
        cwd: copy,
        encoding: 'utf8',
      });
      if (status !== 0) failed.push(program);
      said += stdout + stderr;
    }
    expect({ failed, said }).toEqual({ failed: by, said: expect.stringMatching(finding) });
  },
  10 * 60_000,
);

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { spdx } from '../../src/sbom/spdx.ts';
import { cache } from '../lab/cache.ts';
import { findPythonProgram } from '../lab/python.ts';
import { packages, subject } from './documents.ts';

const run = promisify(execFile);

/** What SPDX's own tools say of a document: undefined when it is valid. */
async function fault(document: object): Promise<string | undefined> {
  const program = await findPythonProgram('spdx', cache);
  const folder = await mkdtemp(path.join(tmpdir(), 'spdx-'));
  try {
    const file = path.join(folder, 'sbom.spdx.json');
    await writeFile(file, JSON.stringify(document));
    return await run(program, ['-i', file]).then(
      () => undefined,
      (error: { stderr?: string; stdout?: string }) => `${error.stdout}${error.stderr}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("SPDX's own tools find the document valid, and a licence that is none not", async () => {
  const document = spdx(subject, packages) as { packages: object[] };
  expect(await fault(document)).toBeUndefined();
  const wrong = document.packages.map((one) => ({ ...one, licenseDeclared: 'Made-Up-1.0' }));
  expect(await fault({ ...document, packages: wrong })).toContain('Made-Up-1.0');
}, 300_000);

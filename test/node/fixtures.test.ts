import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures/node');

// A lockfile with addresses would be installed from there, whatever registry a machine is set to.
test.each(readdirSync(FIXTURES))('the fixture %s names no registry', (name) => {
  const files = readdirSync(path.join(FIXTURES, name), { recursive: true, withFileTypes: true });
  const texts = files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(path.join(file.parentPath, file.name), 'utf8'));
  expect(texts.length).toBeGreaterThan(4);
  expect(texts.join('\n')).not.toMatch(/https?:|registry\./);
});

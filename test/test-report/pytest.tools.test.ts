import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { gist } from '../../src/test-report/gist.ts';
import { summarize } from '../../src/test-report/result.ts';
import { type Ran, findPytest, runWatched, write } from './runners.ts';

const SLOW = 120_000;

let folder = '';
beforeAll(() => void findPytest(), 600_000);
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'pytest with space-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('pytest', () => {
  const pytest = async (options: { retries?: number; timeout?: number } = {}): Promise<Ran> => {
    const command = [findPytest(), '-o', 'junit_family=xunit1', '--junitxml=test-reports/junit-pytest.xml'] as const;
    return runWatched(folder, { name: 'pytest', command, record: () => ({}) }, options);
  };

  test(
    'results with file and line, tests that it ran again are flaky',
    async () => {
      write(folder, {
        'tests/test_cart.py': `import pytest
ran = []
def test_adds(): pass
def test_breaks():
    assert 1 + 1 == 3
@pytest.mark.flaky(reruns=2)
def test_sometimes():
    ran.append(1)
    assert len(ran) > 1
`,
      });
      const { outcome } = await pytest();
      const { failures, flaky, ...counts } = summarize(outcome.results ?? []);
      expect(counts).toEqual({ passed: 2, failed: 1, skipped: 0 });
      expect(failures[0]).toMatchObject({ name: 'tests.test_cart › test_breaks', file: 'tests/test_cart.py', line: 4 });
      expect(gist(failures[0] ?? {})).toContain('assert (1 + 1) == 3');
      expect(flaky.map(({ name }) => name)).toEqual(['tests.test_cart › test_sometimes']);
    },
    SLOW,
  );

  test(
    'the file that hangs is named',
    async () => {
      write(folder, {
        'tests/test_a.py': 'def test_a(): pass\n',
        'tests/test_hang.py': 'import time\ndef test_b(): time.sleep(1000)\n',
      });
      const { outcome } = await pytest({ timeout: 8000 });
      expect(outcome.troubles.get('pytest')?.what).toBe('tests/test_hang.py had not ended after 8 s');
    },
    SLOW,
  );

  test(
    'where pytest has the time, its fault handler names the line',
    async () => {
      write(folder, {
        'pytest.ini': '[pytest]\nfaulthandler_timeout = 2\n',
        'tests/test_hang.py': 'import time\ndef test_b():\n    time.sleep(1000)\n',
      });
      const { outcome } = await pytest({ timeout: 8000 });
      expect(outcome.troubles.get('pytest')?.what).toMatch(/test_hang\.py:3 \("test_b"\) had not ended/);
    },
    SLOW,
  );

  test(
    'a crash of the interpreter is told',
    async () => {
      write(folder, {
        'tests/test_crash.py': 'import os, signal\ndef test_dies():\n    os.kill(os.getpid(), signal.SIGSEGV)\n',
      });
      const { outcome } = await pytest();
      expect(outcome.troubles.get('pytest')?.what).toContain('segmentation fault');
    },
    SLOW,
  );
});

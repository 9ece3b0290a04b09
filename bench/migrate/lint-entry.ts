// The linter as a program, for the benchmark: the files named on the command line, and a line for each finding.
import { readFileSync } from 'node:fs';
import { lint } from '../../src/sql-lint/lint.ts';

const scripts = process.argv
  .slice(2)
  .map((file) => ({ file, sql: readFileSync(file, 'utf8'), firstLine: 1, transaction: true }));
const findings = await lint(scripts);
process.stdout.write(findings.map(({ code, place }) => `${place.file}:${place.line ?? 1}: ${code}\n`).join(''));

// A reporter of node:test: https://nodejs.org/api/test.html#custom-reporters
'use strict';
const { failureOf, record } = require('./events.cjs');

const MAX_STDERR = 4000;

/** Files run in processes of their own are tests of the first level, named by their path. */
function isFile({ nesting, name, file }) {
  return nesting === 0 && typeof file === 'string' && (file === name || file.endsWith(`/${name}`));
}

module.exports = async function* nodeTest(source) {
  const titles = [];
  const hasChildren = [];
  const begun = new Set();
  const stderr = new Map();

  const begin = (file) => {
    if (file === undefined || begun.has(file)) return;
    begun.add(file);
    record({ type: 'begin', file });
  };
  const end = (data, passed) => {
    const { name, nesting, file, line, details = {} } = data;
    const whole = isFile(data);
    const { cause, failureType, signal, exitCode } = details.error ?? {};
    // A suite, or a test of subtests, is told by what it holds, unless it failed by itself.
    if (whole && passed) return;
    if (hasChildren[nesting] && (passed || failureType === 'subtestsFailed')) {
      return record({ type: 'over', file, title: name });
    }
    const skipped = data.skip !== undefined || data.todo !== undefined;
    const died = signal ? `the process ended by ${signal}` : `the process ended with exit code ${exitCode}`;
    const failed = whole ? { failure: `${died}\n${stderr.get(file) ?? ''}` } : failureOf(cause ?? details.error);
    record({
      type: 'test',
      file,
      titles: [...titles.slice(0, nesting), name],
      status: skipped ? 'skipped' : passed ? 'passed' : 'failed',
      ms: details.duration_ms,
      ...(!whole && { line }),
      ...(!passed && !skipped && failed),
    });
  };

  for await (const { type, data } of source) {
    if (type === 'test:dequeue') {
      begin(data.file);
      if (!isFile(data)) record({ type: 'start', file: data.file, title: data.name });
    } else if (type === 'test:start') {
      titles[data.nesting] = data.name;
      hasChildren[data.nesting] = false;
      if (data.nesting > 0) hasChildren[data.nesting - 1] = true;
    } else if (type === 'test:pass' || type === 'test:fail') {
      end(data, type === 'test:pass');
    } else if (type === 'test:complete' && isFile(data)) {
      record({ type: 'end', file: data.file });
    } else if (type === 'test:stderr' && data.file !== undefined) {
      const key = data.entryFile ?? data.file;
      stderr.set(key, `${stderr.get(key) ?? ''}${data.message}`.slice(-MAX_STDERR));
    }
  }
  record({ type: 'done' });
  // A reporter yields what is to be printed.
  yield '';
};

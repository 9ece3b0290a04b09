// A reporter of jest: https://jestjs.io/docs/configuration#custom-reporters
'use strict';
const { record } = require('./events.cjs');

module.exports = class JestRecorder {
  onTestFileStart({ path: file }) {
    record({ type: 'begin', file });
  }

  onTestFileResult({ path: file }, { testResults, testExecError, failureMessage }) {
    for (const { ancestorTitles, title, status, duration, location, failureMessages, invocations } of testResults) {
      record({
        type: 'test',
        file,
        titles: [...ancestorTitles, title],
        status: status === 'passed' || status === 'failed' ? status : 'skipped',
        ms: duration ?? undefined,
        line: location?.line,
        retries: (invocations ?? 1) - 1,
        ...(status === 'failed' && { failure: failureMessages.join('\n') }),
      });
    }
    // A file that could not even be loaded holds no test to say so.
    if (testExecError && testResults.length === 0) {
      record({ type: 'test', file, titles: [], status: 'failed', failure: failureMessage ?? '' });
    }
    record({ type: 'end', file });
  }

  onRunComplete() {
    record({ type: 'done' });
  }
};

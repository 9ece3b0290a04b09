// A reporter of Playwright: https://playwright.dev/docs/api/class-reporter
'use strict';
const { record } = require('./events.cjs');

module.exports = class PlaywrightRecorder {
  onTestBegin(test) {
    record({ type: 'start', file: test.location.file, title: test.title });
  }

  onTestEnd(test, { status, duration, retry, errors }) {
    const outcome = test.outcome();
    // An attempt that failed and is tried again is no result yet.
    const last = outcome !== 'unexpected' || retry === test.retries;
    const failed = outcome === 'unexpected';
    if (status === 'interrupted' || !last) return;
    const [, project, , ...suites] = test.titlePath();
    const titles = [...suites.slice(0, -1), project ? `${test.title} [${project}]` : test.title];
    record({
      type: 'test',
      file: test.location.file,
      titles,
      status: outcome === 'skipped' ? 'skipped' : failed ? 'failed' : 'passed',
      ms: duration,
      line: test.location.line,
      retries: outcome === 'flaky' ? retry : 0,
      ...(failed && { failure: errors.map(({ stack, message, value }) => stack ?? message ?? value ?? '').join('\n') }),
    });
  }

  onEnd({ status }) {
    if (status !== 'interrupted') record({ type: 'done' });
  }

  printsToStdio() {
    return false;
  }
};

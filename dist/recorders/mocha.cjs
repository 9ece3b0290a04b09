// A reporter of mocha, which takes one only: so it is mocha's own `spec`, which also records.
// https://mochajs.org/api/tutorial-custom-reporter.html
'use strict';
const { failureOf, record } = require('./events.cjs');

const { Spec } = require(require.resolve('mocha', { paths: [process.cwd()] })).reporters;

module.exports = class MochaRecorder extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const begun = new Set();
    runner.on('test', ({ file, title }) => {
      if (!begun.has(file)) record({ type: 'begin', file });
      begun.add(file);
      record({ type: 'start', file, title });
    });
    runner.on('pass', (test) => write(test, 'passed'));
    runner.on('pending', (test) => write(test, 'skipped'));
    runner.on('fail', (test, error) => write(test, 'failed', failureOf(error)));
    runner.on('end', () => record({ type: 'done' }));
  }
};

function write(test, status, failed) {
  const retries = test.currentRetry?.() ?? 0;
  record({ type: 'test', file: test.file, titles: test.titlePath(), status, ms: test.duration, retries, ...failed });
}

// Test runners of any Node version load these files, so they are plain CommonJS with nothing but Node's own modules.
// Each run gets a copy in a folder of its own, and what happens is written beside it, a line of JSON for each event:
//   {"type":"begin","file"}            a test file starts
//   {"type":"start","file","title"}    a test starts, where the runner tells
//   {"type":"over","file","title"}     a suite that started like a test has ended
//   {"type":"test","file","titles","status","ms","line"?,"failure"?,"expected"?,"actual"?,"retries"?}   a test has ended
//   {"type":"end","file"}              a test file has ended
//   {"type":"done"}                    the runner has ended by itself
// Written at once, never in the background: where a crash or an endless loop cuts it off is just what is asked for.
'use strict';
const { appendFileSync } = require('node:fs');
const path = require('node:path');
const { inspect } = require('node:util');

const target = path.join(__dirname, `events-${process.pid}-${Date.now()}.ndjson`);
const MAX_FAILURE = 20_000;
const MAX_VALUE = 1000;
/** The reader takes no more. */
const MAX_BYTES = 20_000_000;
let written = 0;

/** A recorder never makes a test run fail: without its events less is told. */
exports.record = function record(event) {
  try {
    const line = `${JSON.stringify(event)}\n`;
    written += line.length;
    if (written < MAX_BYTES) appendFileSync(target, line);
  } catch {
    // a full disk, or a value that is no JSON
  }
};

/** What an error says, and the two values of an assertion that found them to differ. */
exports.failureOf = function failureOf(error) {
  if (typeof error !== 'object' || error === null) return { failure: String(error ?? '').slice(0, MAX_FAILURE) };
  try {
    const { message = '', stack = '' } = error;
    const failure = String(stack).includes(String(message)) ? String(stack) : `${message}\n${stack}`;
    const differs = 'expected' in error && 'actual' in error && error.expected !== error.actual;
    return {
      failure: (failure.trim() || shown(error)).slice(0, MAX_FAILURE),
      ...(differs && { expected: shown(error.expected), actual: shown(error.actual) }),
    };
  } catch {
    return { failure: 'an error that cannot be shown' };
  }
};

function shown(value) {
  return (typeof value === 'string' ? value : inspect(value, { depth: 4, breakLength: Infinity })).slice(0, MAX_VALUE);
}

#!/usr/bin/env node
// Fails on every arrow between packages that rules.mjs does not allow.
import { repository } from '../workspace.mjs';
import { findViolations } from './violations.mjs';

const violations = findViolations(repository);
for (const violation of violations) console.error(violation);
if (violations.length > 0) process.exitCode = 1;
else console.log('check-arrows: every arrow between packages is allowed');

// Directories of processes. A name tells whose it is, and its time of change is a sign of life. Node
// has no locks on files: a directory is taken over by renaming it, which only one can.
'use strict';

const { createHash, randomBytes } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const PREFIX = 'js';
const BEAT = 10_000; // how often a process shows that it lives
const STALE = 60_000; // silence after which it is taken for dead, wherever it runs

/** Return a name for a directory of this process, which no other has. */
function newName() {
  const own = [PREFIX, MACHINE, process.pid, startOf(process.pid), randomBytes(6).toString('hex')];
  return own.join('-');
}

/** Create a directory of this process. */
function newDirectory(spool) {
  fs.mkdirSync(spool, { recursive: true, mode: 0o700 });
  const made = path.join(spool, newName());
  fs.mkdirSync(made, { mode: 0o700 });
  return made;
}

/** Take over the directories of processes that are gone, and return their new paths. */
function takeDirectoriesLeft(spool) {
  let names;
  try {
    names = fs.readdirSync(spool).filter((name) => name.startsWith(`${PREFIX}-`));
  } catch {
    return [];
  }
  const taken = [];
  for (const name of names.sort()) {
    const found = path.join(spool, name);
    const renamed = path.join(spool, newName());
    try {
      if (isAlive(name, fs.statSync(found).mtimeMs)) continue;
      beat(found); // from here on, nobody who runs elsewhere takes it for left
      fs.renameSync(found, renamed);
    } catch {
      continue; // another process was faster
    }
    taken.push(renamed);
  }
  return taken;
}

/** Show that the owner of a directory lives. */
function beat(directory) {
  const now = new Date();
  fs.utimesSync(directory, now, now);
}

function isAlive(name, lastBeat) {
  const [, machine, pid, start] = name.split('-');
  if (machine === MACHINE && startOf(Number(pid)) !== start) return false;
  return Date.now() - lastBeat < STALE;
}

/**
 * Return when a process started, so that its number can be used again; an empty string if it is
 * gone, and `0` where only its existence is known.
 */
function startOf(pid) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    if (process.platform === 'linux') return '';
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return '';
  }
  return '0';
}

/** What tells apart machines, their starts, and their containers. */
const MACHINE = createHash('sha256')
  .update([os.hostname(), read('/proc/sys/kernel/random/boot_id'), link('/proc/self/ns/pid')].join())
  .digest('hex')
  .slice(0, 10);

function read(file) {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function link(file) {
  try {
    return fs.readlinkSync(file);
  } catch {
    return '';
  }
}

module.exports = { BEAT, beat, newDirectory, takeDirectoriesLeft };

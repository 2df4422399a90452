import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { framed, withFolder } from './palimpsest.js'

/** The program that answers what the command line does not tell. */
const binary = process.env.CRDT_PROBE ??
  resolve(import.meta.dirname, '../../../build/release/tests/interop/crdt_probe')
accessSync(binary, constants.X_OK) // ninja -C build/release crdt_probe

/**
 * Asks about updates, see crdt_probe.cpp.
 *
 * @returns {Promise<string[]>} the lines of the answer
 */
export function probe(question, updates, ...args) {
  return withFolder(async folder => {
    const file = join(folder, 'updates')
    await writeFile(file, framed(updates))
    return new Promise((done, fail) => {
      execFile(binary, [question, file, ...args], { timeout: 60_000, maxBuffer: 256 << 20 }, (error, stdout, stderr) => {
        if (error !== null) fail(new Error(`crdt_probe ${question} failed: ${stderr.trim() || error}`))
        else done(stdout.split('\n').slice(0, -1))
      })
    })
  })
}

export const bytesOf = hex => Buffer.from(hex, 'hex')
export const hexOf = bytes => Buffer.from(bytes).toString('hex')

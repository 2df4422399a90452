import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The binary under test. */
export const binary = process.env.PALIMPSEST ??
  resolve(import.meta.dirname, '../../../build/release/palimpsest')
accessSync(binary, constants.X_OK) // scripts/build makes it

/**
 * Runs the command-line tool to its end.
 *
 * @returns {Promise<{ status: number, stdout: string, stderr: string }>} status -1: it did not end
 *   by itself
 */
export function palimpsest(...args) {
  return new Promise(done => {
    execFile(binary, args, { timeout: 30_000, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      done({ status, stdout, stderr: stderr || (status === -1 ? String(error) : '') })
    })
  })
}

/** As palimpsest(), for calls that have to succeed; answers what they print. */
export async function succeed(...args) {
  const { status, stdout, stderr } = await palimpsest(...args)
  if (status !== 0) throw new Error(`palimpsest ${args.join(' ')} ended with ${status}: ${stderr.trim()}`)
  return stdout
}

/** Calls `work` with a folder that is there only as long. */
export async function withFolder(work) {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-test-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What `palimpsest doc merge --framed` reads: (u32 little-endian length, update)*. */
export function framed(updates) {
  return Buffer.concat(updates.flatMap(update => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(update.length)
    return [length, update]
  }))
}

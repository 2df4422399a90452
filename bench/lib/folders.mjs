import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { workFolder } from './paths.mjs'

/** Calls `work` with a folder, on the disk of the repository, that is there only as long. */
export async function withWorkFolder(prefix, work) {
  mkdirSync(workFolder, { recursive: true })
  const folder = mkdtempSync(join(workFolder, prefix))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

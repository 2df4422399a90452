import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ledger, verifyStore } from './support/ledger.js'
import { withFolder } from './support/palimpsest.js'
import { Random } from './support/random.js'
import { Server } from './support/server.js'
import { pause } from './support/wait.js'

/**
 * F1. The promise of an acknowledgement: what a writer was told to be saved, and what anybody else
 * was shown, is there after `kill -9`. Each round kills the server under load at a random moment
 * and asks the next one.
 *
 * `ROUNDS=n` kills n times, `SEED=n` repeats the moments of a run.
 */
const rounds = Number(process.env.ROUNDS ?? 100)
const seed = Number(process.env.SEED ?? Date.now() % 1e6)
const roundsPerDocument = 5

test(`F1: nothing acknowledged or seen is missing after ${rounds} times kill -9`, { timeout: 120_000 + rounds * 3_000 },
  () => withFolder(async folder => {
    const random = new Random(seed)
    const ledger = new Ledger()
    let server = await Server.start(folder)
    try {
      for (let round = 0; round < rounds; round++) {
        const where = `SEED=${seed}, round ${round}`
        const documentName = `crash-${Math.floor(round / roundsPerDocument)}`
        const { writers } = await ledger.load(server, documentName, round, random, killAfter(server, random.integer(20, 400)))
        server = await server.again()
        await ledger.check(server, documentName, writers, where)
        if (round % 10 === 9) await verifyStore(folder, where)
      }
    } finally {
      await server.kill()
    }
    await verifyStore(folder, `SEED=${seed}, in the end`)
    const { typed, acknowledged, seen } = ledger.sum
    console.log(`${rounds} kills: ${typed} typed, ${acknowledged} acknowledged, ${seen} seen by another`)
    assert.ok(acknowledged > rounds && seen > rounds, 'the rounds had something to lose')
  }))

const killAfter = (server, milliseconds) => async () => {
  await pause(milliseconds)
  await server.kill()
}

// The benchmark's policy and requests, given to the npm package @cloud-copilot/iam-simulate.
import { readFileSync } from 'node:fs'
import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate'

const [policyPath, requestsPath, seconds] = process.argv.slice(2)
const policy = JSON.parse(readFileSync(policyPath, 'utf8'))
const data = JSON.parse(readFileSync(requestsPath, 'utf8'))
const simulations = data.requests.map((request) => ({
  request: {
    principal: data.principal,
    action: request.action,
    resource: { resource: request.resource, accountId: data.account },
    contextVariables: request.context
  },
  identityPolicies: [{ name: 'exec', policy }],
  serviceControlPolicies: [],
  resourceControlPolicies: [],
  resourcePolicy: undefined
}))

let agreed = 0
for (const [index, simulation] of simulations.entries()) {
  let got = 'error'
  try {
    got = runUnsafeSimulation(simulation, {})
  } catch {}
  agreed += got === data.requests[index].expected ? 1 : 0
}
console.log(`iam-simulate: agrees on ${agreed} of ${simulations.length}`)

const rate = (count, from) => Math.round(count / ((performance.now() - from) / 1000))
const show = (name, value) => console.log(`${name.padEnd(44)} ${String(value).padStart(12)} decisions/s`)
let from = performance.now()
let count = 0
while (performance.now() - from < seconds * 1000) {
  for (const simulation of simulations) {
    runUnsafeSimulation(simulation, {})
    count += 1
  }
}
show('iam-simulate, unchecked', rate(count, from))
from = performance.now()
count = 0
while (performance.now() - from < seconds * 1000) {
  for (const simulation of simulations) {
    await runSimulation(simulation, {})
    count += 1
  }
}
show('iam-simulate, explained', rate(count, from))

/** What of the card tests needs Node: cards in QEMU, alone or beside our models. */
export { type CardTestSession, openCardTest } from './card-test-session.node.ts';
export { isaQemuCardFactory } from './isa-qemu-card.node.ts';
export { qemuCardFactory } from './qemu-card.node.ts';
export { measureRegisterAccessCost, type RegisterAccessCost } from './register-access-cost.node.ts';
export { runDiff } from './run-diff.node.ts';

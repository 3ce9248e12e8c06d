import { driverSuite } from './support/driver-suite.ts';
import { HDA, HDA_ICH9, HDA_MICRO, HDA_OUTPUT } from './support/driver-suite-cards.ts';

for (const card of [HDA, HDA_ICH9, HDA_MICRO, HDA_OUTPUT]) driverSuite('sim', card);

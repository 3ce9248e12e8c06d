import { driverSuite } from './support/driver-suite.ts';
import { SB16 } from './support/driver-suite-cards.ts';

driverSuite('sim', SB16);

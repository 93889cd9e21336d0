export { BrazebeeError, Client, InvalidCall, InvalidConfiguration } from './src/index.js';

'use strict';

const { Client } = require('./client.js');
const { BrazebeeError, InvalidCall, InvalidConfiguration } = require('./errors.js');

exports.BrazebeeError = BrazebeeError;
exports.Client = Client;
exports.InvalidCall = InvalidCall;
exports.InvalidConfiguration = InvalidConfiguration;

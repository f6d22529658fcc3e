#!/bin/sh
# What the three suites beside this file are about, made on the embedded provider: no key, no network, half a minute.
# Run it in an empty folder:  sh generations.sh
set -e

# The same prompt, seed and settings give the same bytes.
mintmark generate --provider procedural --model procedural-image@1 --prompt "a stone bridge in the fog" --seed 7 --setting width=96 --setting height=96 --label example=stable --label name=bridge
mintmark generate --provider procedural --model procedural-image@1 --prompt "mountains at dusk" --seed 7 --setting width=96 --setting height=96 --label example=stable --label name=mountains

# The same picture but for numeric noise, as a model on GPUs gives it.
mintmark generate --provider procedural --model procedural-image@1 --prompt "a lake at noon" --seed 7 --setting width=96 --setting height=96 --setting noise=seeded --label example=stable --label name=lake

# A new sample of the prompt every time, as from a provider without seeds.
mintmark generate --provider procedural --model procedural-image@1 --prompt "a field of poppies" --setting width=96 --setting height=96 --setting noise=free --label example=free --label name=poppies
mintmark generate --provider procedural --model procedural-image@1 --prompt "a forest at dawn" --setting width=96 --setting height=96 --setting noise=free --label example=free --label name=forest
mintmark generate --provider procedural --model procedural-image@1 --prompt "the sea at night" --setting width=96 --setting height=96 --setting noise=free --label example=free --label name=sea

"""The embedded renderer: pictures, films and sound from prompt and seed, an honest stand-in for a model.

What it promises, so that every verdict can be shown on one machine:

* ``noise: none``: the same model, prompt, seed and settings give the same bytes, whatever the process and the number of
  threads. Another processor family or another release of the libraries may round differently; they are recorded.
* ``noise: seeded``: the same picture, film or sound with small numeric noise that differs in every run, as a model
  on a graphics processor has it.
* ``noise: free``: the seed is ignored, every run is a new sample for the prompt, as with a provider without seeds.
* build 2 differs from build 1 by a tone change (``tone.py``, ``wave.py``) and by nothing else.
"""

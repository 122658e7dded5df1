"""Writes speeches.csv.gz from the text of Shakespeare's plays that char-rnn uses. Usage:

    python make.py input.txt speeches.csv.gz

Each example is at most three lines of one speech, by one of the ten speakers with the most words.
"""
import collections
import csv
import gzip
import io
import re
import sys

LINES, SPEAKERS = 3, 10

speeches = []
for block in open(sys.argv[1], encoding="utf-8").read().split("\n\n"):
    found = re.match(r"([A-Z][A-Z ]+):\n(.+)", block, re.S)
    if found:
        speeches.append((found[1], found[2].split("\n")))
words = collections.Counter()
for speaker, lines in speeches:
    words[speaker] += sum(len(line.split()) for line in lines)
kept = {speaker for speaker, _ in words.most_common(SPEAKERS)}

table = io.StringIO()
rows = csv.writer(table, lineterminator="\n")
rows.writerow(["label", "text"])
for speaker, lines in speeches:
    if speaker in kept:
        for first in range(0, len(lines), LINES):
            rows.writerow([speaker.title(), " ".join(lines[first : first + LINES])])
with open(sys.argv[2], "wb") as out:
    out.write(gzip.compress(table.getvalue().encode(), 9, mtime=0))

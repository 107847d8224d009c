#!/bin/sh
# Takes itself for cvc5, and does to every question what its name says.
if [ "$1" = --version ]; then
    case ${0##*/} in
    mute) exec sleep 60 ;;
    other) echo "This is z3 version 4" ;;
    *) echo "This is cvc5 version 0" ;;
    esac
    exit
fi
while read -r line; do
    case $line in
    *check-sat*)
        case ${0##*/} in
        slow) exec sleep 60 ;;
        dies) exit 1 ;;
        *) echo "${0##*/}" ;;
        esac
        ;;
    # What every question has as its model: nothing.
    *get-model*) printf '(\n)\n' ;;
    esac
done

#!/bin/bash
# Training on several machines under SLURM:
#   sbatch scripts/train_slurm.sh configs/instrument_gpu.yaml s3://bucket/corpus s3://bucket/run
# SLURM's notice before the time limit ends the run with a checkpoint; the same command resumes it.
#SBATCH --job-name=cmaudio
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=8
#SBATCH --mem=0
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@300
#SBATCH --requeue
set -euo pipefail

if [ $# -lt 3 ]; then
  echo "usage: sbatch $0 CONFIG CORPUS RUN [section.key=value ...]" >&2
  exit 2
fi
config=$1 corpus=$2 run=$3
shift 3
overrides=()
for value in "$@"; do
  overrides+=(--set "$value")
done

# One task is one process and one GPU; the chunks of a step are shared by all of them.
srun --ntasks-per-node="$SLURM_NTASKS_PER_NODE" cmaudio train "$config" --corpus "$corpus" -o "$run" "${overrides[@]}"
